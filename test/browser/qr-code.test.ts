import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { system } from '../../lib/ports/system.js'
import { DESKTOP, PHONE, withPage } from '../support/chromium.js'
import type { HostUser } from '../support/host.js'
import { oathtoolCode } from '../support/oathtool.js'
import { give, passLogin, type Site, sent, startSite, whoIsIn } from '../support/site.js'

const run = promisify(execFile)

/** What a reader of QR codes that is none of ours finds on a screenshot of the whole window. */
async function readQrCode(page: Page): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'second-step-qr-'))
  try {
    await page.locator('.qr').scrollIntoViewIfNeeded()
    const file = join(folder, 'page.png')
    await writeFile(file, await page.screenshot())
    const { stdout } = await run('zbarimg', [
      '--raw',
      '--quiet',
      '-Sdisable',
      '-Sqrcode.enable',
      file,
    ])
    return stdout.trim()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const views: Record<string, BrowserContextOptions> = {
  'a desktop, light': { viewport: DESKTOP, colorScheme: 'light' },
  'a desktop, dark': { viewport: DESKTOP, colorScheme: 'dark' },
  'a phone, light': { viewport: PHONE, isMobile: true, hasTouch: true, colorScheme: 'light' },
  'a phone, dark': { viewport: PHONE, isMobile: true, hasTouch: true, colorScheme: 'dark' },
}

const LONG = 'Übermäßig: lange Ausgeber & Söhne 🦉 Gesellschaft mit beschränkter Haftung'
const users = Object.keys(views).map(
  (view, index): HostUser => ({ id: `user-${index}`, name: `${LONG} ${view}`, password: 'p' }),
)

describe('the QR code on the screen', () => {
  let site: Site
  before(async () => {
    site = await startSite({ users, options: { system, issuer: LONG } })
  })
  after(() => site.stop())

  for (const [index, [view, options]] of Object.entries(views).entries()) {
    it(`on ${view}, is read by zbarimg, and oathtool’s codes for it sign in`, async () => {
      const user = users[index]
      if (user === undefined) throw new Error('no user')
      await withPage(options, async (page) => {
        await passLogin(page, site, user)
        await page.goto(site.at('/'))
        await sent(page, () => page.locator('a.button').click())
        const uri = new URL(await readQrCode(page))
        expect(uri.protocol).to.equal('otpauth:')
        expect(uri.searchParams.getAll('issuer')).to.have.length(1)
        const secret = uri.searchParams.get('secret') ?? ''
        await give(page, await oathtoolCode(secret))
        expect(await page.locator('#codes code').count()).to.equal(10)
        await page.getByRole('checkbox').check()
        await sent(page, () => page.locator('button.main').click())
        expect(await whoIsIn(page, site)).to.equal(user.id)

        await page.context().clearCookies()
        await passLogin(page, site, user)
        expect(new URL(page.url()).pathname).to.equal('/second-step/challenge')
        // The set-up has burned the code of the moment; the next one is accepted already.
        await give(page, await oathtoolCode(secret, 1))
        expect(await whoIsIn(page, site)).to.equal(user.id)
      })
    })
  }
})
