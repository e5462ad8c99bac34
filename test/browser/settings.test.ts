import { expect } from 'chai'
import { letsIn } from '../support/actions.js'
import { PHONE, withPage } from '../support/chromium.js'
import { MINUTE, SECOND } from '../support/clock.js'
import {
  enrolledAt,
  give,
  passLogin,
  type Site,
  scanned,
  sent,
  startSite,
  whoIsIn,
} from '../support/site.js'
import { recordOf } from '../support/visits.js'

describe('the settings in a browser', () => {
  let site: Site
  beforeEach(async () => {
    site = await startSite()
  })
  afterEach(() => site.stop())

  it('change the key: the old one works until then, other browsers are signed out', async () => {
    await withPage({}, async (page) => {
      const old = await enrolledAt(page, site)
      await withPage({}, async (other) => {
        await passLogin(other, site)
        await give(other, old.code())
        site.system.advance(30 * SECOND)

        await page.goto(site.at('/'))
        await page.getByText('Change your phone or app').click()
        await give(page, old.code(), 'code-change-key')
        const fresh = await scanned(page, site)
        expect(fresh.secret).to.not.equal(old.secret)
        site.system.advance(30 * SECOND)
        expect(await letsIn(site, old.code())).to.equal(true)
        await page.reload()
        expect((await scanned(page, site)).secret).to.equal(fresh.secret)

        await give(page, fresh.code())
        expect(await page.getByText('Everywhere else you have been signed out').count()).to.equal(1)
        expect(await whoIsIn(other, site)).to.equal('nobody')
        expect(await whoIsIn(page, site)).to.equal('ann')
      })
    })
  })

  it('reset: the user sets up again at the next login', async () => {
    await withPage({ viewport: PHONE }, async (page) => {
      const old = await enrolledAt(page, site)
      await page.goto(site.at('/'))
      await page.getByText('Reset the second step').click()
      await give(page, old.code(), 'code-reset')
      expect(page.url()).to.equal(`${site.url}/login?secondStep=reset`)
      await passLogin(page, site)
      expect(page.url()).to.equal(site.at('/setup'))
      const fresh = await scanned(page, site)
      await give(page, fresh.code())
      expect(await page.locator('#codes code').count()).to.equal(10)
    })
  })

  it('send a code once, however often the button is pressed', async () => {
    await withPage({}, async (page) => {
      const { code } = await enrolledAt(page, site)
      await page.goto(site.at('/'))
      await page.getByText('Make new backup codes').click()
      await page.locator('#code-backup-codes').fill(code())
      await sent(page, () => page.getByRole('button', { name: 'Make new codes' }).dblclick())
      expect(await page.locator('#codes code').count()).to.equal(10)
      expect((await recordOf(site)).attempts.misses).to.deep.equal([])
    })
  })
})

describe('a clock that is wrong', () => {
  let site: Site
  before(async () => {
    site = await startSite()
  })
  after(() => site.stop())

  it('is named at the set-up, with the right time in the visitor’s own zone, going on', async () => {
    await withPage({ timezoneId: 'Asia/Kolkata' }, async (page) => {
      await passLogin(page, site)
      await page.goto(site.at('/setup'))
      const key = await scanned(page, site)
      site.system.advance(3 * MINUTE)
      const late = key.code()
      site.system.advance(-3 * MINUTE)
      await give(page, late)
      expect(await page.locator('#problem').textContent()).to.include('about 3 minutes ahead')
      const clock = page.locator('.clock')
      expect(await clock.textContent()).to.match(/^17:30:0\d$/)
      const shown = (await clock.textContent()) ?? ''
      await clock.filter({ hasNotText: shown }).waitFor()
      expect(await page.locator('#code:focus').count()).to.equal(1)
      await give(page, key.code())
      expect(await page.locator('#codes code').count()).to.equal(10)
    })
  })
})
