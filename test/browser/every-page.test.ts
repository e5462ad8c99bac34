import { readdirSync } from 'node:fs'
import axe from 'axe-core'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { DESKTOP, PHONE, withPage } from '../support/chromium.js'
import { walkEveryPage } from '../support/every-page.js'
import type { HostUser } from '../support/host.js'
import { startSite } from '../support/site.js'

const LANGUAGES = readdirSync(new URL('../../messages', import.meta.url))
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.replace('.json', ''))

/** The narrowest phones there are, in pixels (WCAG 2.2, 1.4.10). */
const NARROW = 320

/** A language that is written from right to left, whatever its words: ours are not there. */
const RIGHT_TO_LEFT = 'ar'

const users = [...LANGUAGES, RIGHT_TO_LEFT].map(
  (id): HostUser => ({ id, name: `Ms ${id}`, password: `${id}-password` }),
)

async function violations(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
  const options = rules === undefined ? {} : { runOnly: rules }
  const found = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as axe.AxeResults
  return found.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`,
  )
}

/** Pixels that the page is wider than the window. */
async function overflow(page: Page, width: number): Promise<number> {
  await page.setViewportSize({ width, height: PHONE.height })
  const wider = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
  return Number(await page.evaluate(wider))
}

async function expectGoodLook(page: Page, name: string): Promise<void> {
  for (const width of [NARROW, DESKTOP.width]) {
    expect(await overflow(page, width), `${name} at ${width} pixels`).to.equal(0)
  }
  await page.emulateMedia({ colorScheme: 'light' })
  expect(await violations(page), name).to.deep.equal([])
}

/** The colours are the same in every language. */
async function expectGoodDarkness(page: Page, name: string): Promise<void> {
  await page.emulateMedia({ colorScheme: 'dark' })
  expect(await violations(page, ['color-contrast']), `${name}, dark`).to.deep.equal([])
}

/** One walk, at a site of its own: its clock moves. */
async function walk(user: HostUser): Promise<void> {
  const messages = { [RIGHT_TO_LEFT]: {} }
  const site = await startSite({ users: [user], options: { messages } })
  try {
    // The pages' own policy refuses the checker's script, as it should.
    await withPage({ locale: user.id, bypassCSP: true }, async (page) => {
      await page.addInitScript({ content: axe.source })
      const dir = user.id === RIGHT_TO_LEFT ? 'rtl' : 'ltr'
      await walkEveryPage(page, site, user, async (name) => {
        const html = page.locator('html')
        expect(await html.getAttribute('lang'), name).to.equal(user.id)
        expect(await html.getAttribute('dir'), name).to.equal(dir)
        await expectGoodLook(page, name)
        if (user.id === 'en') await expectGoodDarkness(page, name)
      })
    })
  } finally {
    await site.stop()
  }
}

describe('every page', function () {
  this.timeout(80_000)
  let walks: readonly Promise<void>[]
  before(() => {
    // All at once: most of each is waiting.
    walks = users.map((user) => walk(user))
    for (const each of walks) each.catch(() => undefined)
  })

  for (const [index, user] of users.entries()) {
    it(`is accessible and fits phone and desktop in ${user.id}`, async () => {
      await walks[index]
    })
  }
})
