import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { ada } from '../support/admin.js'
import { ADMIN, startAdminSite } from '../support/admin-site.js'
import { enrol } from '../support/browser.js'
import { withPage } from '../support/chromium.js'
import { SECOND } from '../support/clock.js'
import { ann } from '../support/host.js'
import {
  enrolledAt,
  passLogin,
  type Site,
  scanned,
  sent,
  startSite,
  whoIsIn,
} from '../support/site.js'
import { wrongCodeOf } from '../support/visits.js'

const focused = (page: Page) => page.locator(':focus')

/** Presses Tab until what has the focus is what is looked for, and sees that this is visible. */
async function tabTo(page: Page, text: string | RegExp): Promise<void> {
  for (let presses = 0; presses < 25; presses += 1) {
    await page.keyboard.press('Tab')
    const one = focused(page)
    if ((await one.count()) === 0) continue
    const name = `${await one.textContent()} ${(await one.getAttribute('id')) ?? ''}`
    if (!(typeof text === 'string' ? name.includes(text) : text.test(name))) continue
    const outline = 'getComputedStyle(document.activeElement).outlineStyle'
    expect(await page.evaluate(outline), `the focus on ${text}`).to.equal('solid')
    return
  }
  throw new Error(`Tab never reaches ${text}`)
}

const press = (page: Page, key: string) => sent(page, () => page.keyboard.press(key))

describe('somebody with a keyboard alone', () => {
  let site: Site
  beforeEach(async () => {
    site = await startSite()
  })
  afterEach(() => site.stop())

  it('sets up: key by hand, code, codes saved', async () => {
    await withPage({}, async (page) => {
      await passLogin(page, site)
      await page.goto(site.at('/'))
      await tabTo(page, 'Set it up')
      await press(page, 'Enter')
      await tabTo(page, 'Can’t scan it?')
      await page.keyboard.press('Enter')
      expect(await page.locator('#key').isVisible()).to.equal(true)
      const key = await scanned(page, site)
      await tabTo(page, /(^| )code$/)
      await page.keyboard.type(key.code())
      await press(page, 'Enter')
      expect(await page.locator('#codes').isVisible()).to.equal(true)
      await tabTo(page, 'Print')
      await tabTo(page, 'Copy')
      await page.keyboard.press('Tab')
      await page.keyboard.press('Space')
      await tabTo(page, 'Continue')
      await press(page, 'Enter')
      expect(await whoIsIn(page, site)).to.equal('ann')
    })
  })

  it('signs in without a single Tab, and by a backup code with a few', async () => {
    await withPage({}, async (page) => {
      const { code, backupCodes } = await enrolledAt(page, site)
      await page.context().clearCookies()
      await passLogin(page, site)
      // Nobody types before the page has put the cursor there.
      await page.locator('#code:focus').waitFor()
      await page.keyboard.type(code())
      await press(page, 'Enter')
      expect(await whoIsIn(page, site)).to.equal('ann')

      await page.context().clearCookies()
      await passLogin(page, site)
      await tabTo(page, 'Use a backup code instead')
      await page.keyboard.press('Space')
      await page.keyboard.press('Tab')
      await page.keyboard.type(backupCodes[0] ?? '')
      await press(page, 'Enter')
      expect(await whoIsIn(page, site)).to.equal('ann')
    })
  })

  it('manages: a wrong code leaves the focus in the field it was typed into', async () => {
    await withPage({}, async (page) => {
      const key = await enrolledAt(page, site)
      await page.goto(site.at('/'))
      await tabTo(page, 'Change your phone or app')
      await page.keyboard.press('Enter')
      await page.keyboard.press('Tab')
      await page.keyboard.type(wrongCodeOf(site, key))
      await press(page, 'Enter')
      expect(await focused(page).getAttribute('id')).to.equal('code-change-key')
      expect(await focused(page).getAttribute('aria-invalid')).to.equal('true')
      expect(await page.title()).to.match(/^Error: /)
      site.system.advance(30 * SECOND)
      await page.keyboard.type(key.code())
      await press(page, 'Enter')
      await tabTo(page, 'Go back and change nothing')
      await press(page, 'Enter')
      expect(new URL(page.url()).pathname).to.equal('/second-step/')
    })
  })
})

describe('an admin with a keyboard alone', () => {
  let site: Site
  beforeEach(async () => {
    site = await startAdminSite()
  })
  afterEach(() => site.stop())

  it('finds a user, pauses them, and stays in the field that was wrong', async () => {
    await withPage({}, async (page) => {
      await enrol(site, ann)
      await enrolledAt(page, site, ada)
      await page.goto(`${site.url}${ADMIN}/users`)
      await tabTo(page, /(^| )search$/)
      await page.keyboard.type('ann')
      await press(page, 'Enter')
      await tabTo(page, 'Ann')
      await press(page, 'Enter')
      await tabTo(page, 'Pause for some days')
      await page.keyboard.press('Enter')
      await page.keyboard.press('Tab')
      await page.keyboard.type('400')
      await press(page, 'Enter')
      expect(await focused(page).getAttribute('id')).to.equal('days')
      expect(await focused(page).getAttribute('aria-invalid')).to.equal('true')
      await page.keyboard.press('Control+A')
      await page.keyboard.type('4')
      await press(page, 'Enter')
      expect(await page.locator('.done').textContent()).to.include('during the pause')
    })
  })
})
