import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { type MovedSystem, movedSystem, SECOND } from '../test/support/clock.js'
import { launchChromium } from '../test/support/launch-chromium.js'
import { give, passLogin, type Site, scanned, sent, startSite } from '../test/support/site.js'

const FOLDER = resolve('docs/images')
const PHONE = { width: 360, height: 720 }
const user = { id: 'anna', name: 'anna@example.com', password: 'password' }

/** The same keys and codes at each run: a picture changes when the page does. */
function steadySystem(): MovedSystem {
  const system = movedSystem()
  let drawn = 0
  const random = (size: number) => {
    drawn += 1
    return createHash('shake256', { outputLength: size }).update(`drawn ${drawn}`).digest()
  }
  return { ...system, random }
}

async function takePictures(browser: Browser): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    const site = await startSite({ users: [user], system: steadySystem() })
    const context = await browser.newContext({ locale: 'en', viewport: PHONE, colorScheme })
    await walk(await context.newPage(), site, (page, name) =>
      picture(page, `${name}-${colorScheme}`),
    )
    await context.close()
    await site.stop()
  }
}

type Take = (page: Page, name: string) => Promise<void>

/** The way of somebody who sets up a second step, signs in with it, and looks at the settings. */
async function walk(page: Page, site: Site, take: Take): Promise<void> {
  const system = site.system
  await passLogin(page, site, user)
  await page.goto(site.at('/setup'))
  await take(page, 'setup')
  const key = await scanned(page, site)
  await give(page, key.code())
  await take(page, 'backup-codes')
  await page.getByRole('checkbox').check()
  await sent(page, () => page.locator('button.main').click())
  system.advance(30 * SECOND)

  await page.context().clearCookies()
  await passLogin(page, site, user)
  await take(page, 'challenge')
  await give(page, key.code())
  // Else the page says that the code of the moment has been used.
  system.advance(30 * SECOND)
  await page.goto(site.at('/'))
  await take(page, 'settings')
}

async function picture(page: Page, name: string): Promise<void> {
  const path = resolve(FOLDER, `${name}.png`)
  writeFileSync(path, await page.screenshot())
  console.log(path)
}

const browser = await launchChromium()
mkdirSync(FOLDER, { recursive: true })
try {
  await takePictures(browser)
} finally {
  await browser.close()
}
