// The mistake: an admin resets a user, makes a one-time code for them as well and reads it out. The login that
// follows leads to the set-up without asking for a code, and both wonder where to type it.

import { expect } from 'chai'
import { ADMIN, adminVisit } from '../../support/admin.js'
import { getPage, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, passFirstStep } from '../../support/browser.js'
import { DAY, MINUTE } from '../../support/clock.js'
import { ann } from '../../support/host.js'
import { setPolicy } from '../../support/visits.js'

const PAGE = `${ADMIN}/users/ann`
const FORM = `action="${PAGE}/one-time-code"`
const NOTE = 'needs no one-time code'

async function pageAt(browser: Browser, path = PAGE): Promise<string> {
  return (await getPage(browser, path).expect(200)).text
}

describe('A one-time code on a user’s page', () => {
  it('is offered where a login asks for a code', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    expect(await pageAt(browser))
      .to.contain(FORM)
      .and.not.contain(NOTE)
  })

  it('is not offered while the user may set up without one, and the page says so', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    await postJson(browser, `${PAGE}/reset`).expect(200)
    const page = await pageAt(browser)
    expect(page).to.contain(NOTE).and.not.contain(FORM)
    expect(page, 'what the admin can do is there').to.contain(`action="${PAGE}/reset"`)
    const { body } = await passFirstStep(browserOf(host), ann)
    expect(body.status, 'as the page says').to.equal('setup-required')
  })

  it('is offered again when the time for the set-up is over', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    await postJson(browser, `${PAGE}/reset`).expect(200)
    host.system.advance(7 * DAY)
    expect(await pageAt(browser))
      .to.contain(FORM)
      .and.not.contain(NOTE)
    const { body } = await passFirstStep(browserOf(host), ann)
    expect(body.status, 'as the page says').to.equal('code-required')
  })

  // It is good for a day, and no login of that day asks for it.
  it('is not offered while the second step is paused for longer, or not asked of this user', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    await postJson(browser, `${PAGE}/pause`, { days: 2 }).expect(200)
    expect(await pageAt(browser))
      .to.not.contain(FORM)
      .and.not.contain(NOTE)
    host.system.advance(DAY + MINUTE)
    expect(await pageAt(browser), 'the pause ends before the code').to.contain(FORM)
    host.system.advance(2 * DAY)
    await setPolicy(host, { mode: 'off' })
    expect(await pageAt(browser)).to.not.contain(FORM)
  })

  it('is not offered where the policy makes somebody set up for the first time', async () => {
    const { host, browser } = await adminVisit()
    await setPolicy(host, { mode: 'required', graceDays: 0 })
    expect(await pageAt(browser))
      .to.contain(NOTE)
      .and.not.contain(FORM)
  })
})
