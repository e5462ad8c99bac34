import { expect } from 'chai'
import { withPage } from '../support/chromium.js'
import { SECOND } from '../support/clock.js'
import {
  enrolledAt,
  give,
  leaveBackupCodes,
  passLogin,
  type Site,
  scanned,
  sent,
  setUpAt,
  startSite,
  whoIsIn,
} from '../support/site.js'
import { wrongCodeOf } from '../support/visits.js'

describe('a browser without JavaScript', () => {
  let site: Site
  beforeEach(async () => {
    site = await startSite({ options: { trustedBrowsers: { days: 3 } } })
  })
  afterEach(() => site.stop())

  it('can set up, sign in by app and by backup code, and manage everything', async () => {
    await withPage({ javaScriptEnabled: false }, async (page) => {
      const { code, backupCodes } = await setUpAt(page, site)
      expect(await page.getByRole('button', { name: 'Copy' }).count()).to.equal(0)
      expect(await page.getByRole('button', { name: 'Print' }).count()).to.equal(0)
      expect(await page.getByText('Save to a file').isVisible()).to.equal(true)
      await page.getByRole('checkbox').check()
      await sent(page, () => page.locator('button.main').click())

      await page.context().clearCookies()
      await passLogin(page, site)
      await page.getByText('Use a backup code instead').click()
      await give(page, backupCodes[0]?.toLowerCase().replaceAll('-', ' ') ?? '', 'backup-code')
      expect(await whoIsIn(page, site)).to.equal('ann')

      await page.goto(site.at('/'))
      await page.getByText('Show the QR code again').click()
      await give(page, code(), 'code-show-key')
      expect((await scanned(page, site)).code()).to.equal(code())
      await sent(page, () => page.getByText('Done').click())
      site.system.advance(30 * SECOND)
      await page.getByText('Turn off the second step').click()
      await give(page, code(), 'code-disable')
      expect(await page.locator('.done').textContent()).to.include('with your password alone')
    })
  })

  it('is trusted by a box that nobody has ticked, and forgotten', async () => {
    await withPage({ javaScriptEnabled: false }, async (page) => {
      const { code } = await enrolledAt(page, site)
      await page.context().clearCookies()
      await passLogin(page, site)
      const box = page.getByRole('checkbox', { name: 'for 3 days' })
      expect(await box.isChecked()).to.equal(false)
      await box.check()
      await give(page, code())
      await page.context().clearCookies({ name: 'connect.sid' })
      await passLogin(page, site)
      expect(await whoIsIn(page, site)).to.equal('ann')
      await page.goto(site.at('/'))
      await sent(page, () => page.getByRole('button', { name: 'Forget:' }).click())
      expect(new URL(page.url()).pathname).to.equal('/second-step/challenge')
      expect(await box.isChecked()).to.equal(false)
    })
  })

  it('is shown the server’s time too, in UTC', async () => {
    await withPage({ javaScriptEnabled: false }, async (page) => {
      const key = await enrolledAt(page, site)
      await page.context().clearCookies()
      await passLogin(page, site)
      await give(page, wrongCodeOf(site, key))
      expect(await page.locator('.clock').count()).to.equal(0)
      await give(page, wrongCodeOf(site, key))
      expect(await page.locator('.clock').textContent()).to.equal('12:00:30 UTC')
    })
  })

  it('is led from the login with few codes left to new ones, and on', async () => {
    await withPage({ javaScriptEnabled: false }, async (page) => {
      const { code } = await enrolledAt(page, site)
      await leaveBackupCodes(site, 0)
      await page.context().clearCookies()
      await passLogin(page, site)
      await page.goto(`${site.url}/inside?page=2`)
      await give(page, code())
      expect(new URL(page.url()).pathname).to.equal('/second-step/')
      const field = page.locator('#code-backup-codes')
      expect(await field.isVisible()).to.equal(true)
      site.system.advance(30 * SECOND)
      await give(page, code(), 'code-backup-codes')
      await page.getByRole('checkbox').check()
      await sent(page, () => page.locator('button.main').click())
      expect(page.url()).to.equal(`${site.url}/inside?page=2`)
    })
  })
})
