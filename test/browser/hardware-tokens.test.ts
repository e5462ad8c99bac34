// A key fob that an admin hands out, from the form to the login, and back into step: in a browser without
// script too. OATH Toolkit plays the fob.

import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { ada } from '../support/admin.js'
import { ADMIN, pressed, startAdminSite } from '../support/admin-site.js'
import { withPage } from '../support/chromium.js'
import { MINUTE, SECOND } from '../support/clock.js'
import { ann } from '../support/host.js'
import { oathtool } from '../support/oathtool.js'
import { enrolledAt, give, passLogin, type Site, scanned, sent, whoIsIn } from '../support/site.js'

const SEED = '3132333435363738393031323334353637383930'

const press = (counter: number) => oathtool('--hotp', `--counter=${counter}`, SEED)

function clockCode(at: number): Promise<string> {
  const now = new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z/, ' UTC')
  const shape = ['--totp=sha256', '--digits=8', '--time-step-size=60s', `--now=${now}`]
  return oathtool(...shape, SEED)
}

describe('A hardware token in a browser', function () {
  this.timeout(60_000)
  let site: Site
  beforeEach(async () => {
    site = await startAdminSite({ options: { authenticators: ['totp', 'hotp'] } })
  })
  afterEach(() => site.stop())

  async function atDesks(
    javaScriptEnabled: boolean,
    run: (admin: Page, user: Page) => Promise<void>,
  ): Promise<void> {
    await withPage({ javaScriptEnabled }, async (admin) => {
      await withPage({ javaScriptEnabled }, async (user) => {
        await enrolledAt(admin, site, ada)
        await admin.goto(`${site.url}${ADMIN}/users/ann`)
        await admin.getByText('Assign a hardware token', { exact: true }).click()
        await run(admin, user)
      })
    })
  }

  /** Two consecutive codes, on the page where the form is. */
  async function resync(user: Page, code: string, nextCode: string): Promise<void> {
    const form = user.locator('form[action$="/resync"]')
    if (!(await form.isVisible())) await user.getByText('My device is out of step').click()
    await user.locator('#resync-code').fill(code)
    await user.locator('#resync-nextCode').fill(nextCode)
    await pressed(user, 'resync')
  }

  for (const script of [true, false]) {
    it(`with a button is assigned, used, lost and found (${script ? 'with' : 'without'} script)`, async () => {
      await atDesks(script, async (admin, user) => {
        await admin.getByLabel('Serial number').fill('F-17')
        await admin.getByLabel('Seed').fill(SEED.slice(2, 20))
        await admin.getByLabel('Kind of codes').selectOption('hotp')
        await pressed(admin, 'token')
        expect(await admin.locator('#problem').textContent()).to.include('too short')
        // Nothing is lost but the seed.
        expect(await admin.getByLabel('Serial number').inputValue()).to.equal('F-17')
        expect(await admin.getByLabel('Kind of codes').inputValue()).to.equal('hotp')
        expect(await admin.getByLabel('Seed').inputValue()).to.equal('')
        await admin.getByLabel('Seed').fill(SEED)
        await pressed(admin, 'token')
        expect(await admin.locator('.done').textContent()).to.include('is assigned')

        await passLogin(user, site, ann)
        await give(user, await press(42))
        expect(await whoIsIn(user, site)).to.equal('ann')
        await user.goto(site.at('/'))
        expect(await user.locator('main').textContent()).to.include('F-17')
        await user.context().clearCookies()
        await passLogin(user, site, ann)
        await give(user, await press(400))
        expect(await user.locator('#problem').count()).to.equal(1)
        await resync(user, await press(400), await press(402))
        expect(await user.locator('#problem').textContent()).to.include('These two codes')
        await resync(user, await press(400), await press(401))
        expect(await whoIsIn(user, site)).to.equal('ann')
        await user.goto(site.at('/'))
        await resync(user, await press(900), await press(901))
        expect(await user.locator('.done').textContent()).to.include('in step again')
      })
    })
  }

  it('with a clock of a minute, SHA-256 and eight digits drifts and is found', async () => {
    await atDesks(false, async (admin, user) => {
      await admin.getByLabel('Serial number').fill('T-60')
      await admin.getByLabel('Seed').fill(SEED)
      await admin.getByLabel('Digits of a code').selectOption('8')
      await admin.getByLabel('Algorithm').selectOption('sha256')
      await admin.getByLabel('Seconds a code lasts').selectOption('60')
      await pressed(admin, 'token')
      const theirs = () => site.system.now() + 75 * MINUTE
      await passLogin(user, site, ann)
      await give(user, await clockCode(theirs()))
      expect(await user.locator('#problem').count()).to.equal(1)
      await resync(user, await clockCode(theirs() - MINUTE), await clockCode(theirs()))
      expect(await whoIsIn(user, site)).to.equal('ann')
      site.system.advance(2 * MINUTE + 30 * SECOND)
      await user.context().clearCookies()
      await passLogin(user, site, ann)
      await give(user, await clockCode(theirs()))
      expect(await whoIsIn(user, site)).to.equal('ann')
    })
  })

  it('that a user sets up themselves is scanned from its own QR code', async () => {
    await withPage({ javaScriptEnabled: false }, async (user) => {
      await passLogin(user, site, ann)
      await user.goto(site.at('/setup'))
      await sent(user, () => user.getByRole('link', { name: /button’s press/ }).click())
      const { secret } = await scanned(user, site)
      const code = (counter: number) =>
        oathtool('--hotp', '--base32', `--counter=${counter}`, secret)
      await give(user, await code(0))
      await user.context().clearCookies()
      await passLogin(user, site, ann)
      await give(user, await code(3))
      expect(await whoIsIn(user, site)).to.equal('ann')
    })
  })
})
