import { expect } from 'chai'
import { FOREVER } from '../../../lib/domain/pause.js'
import { getJson, getPage, postJson } from '../../support/answers.js'
import { browserOf, giveCode, passFirstStep } from '../../support/browser.js'
import { DAY } from '../../support/clock.js'
import { ann, type Host, type HostParts } from '../../support/host.js'
import {
  enrolledVisit,
  pendingVisit,
  recordOf,
  setPolicy,
  signedInVisit,
} from '../../support/visits.js'

/** What an admin's pause leaves in the record. */
async function pause(host: Host, until: number | null): Promise<void> {
  const record = await recordOf(host)
  const paused = {
    ...record,
    pausedUntil: until,
    version: record.version + 1,
    writeId: `p${until}`,
  }
  expect(await host.store.write(paused, record.version)).to.equal(true)
}

/** The settings must not say that a code is asked for, nor that it is on. */
function expectPaused(html: string): void {
  expect(html).to.include('<p class="state paused">Paused</p>')
  expect(html).to.not.include('You are asked for your second step when you sign in')
}

const FREE = { user: 'ann', status: 'none' }

describe('a paused second step', () => {
  it('asks for no code until the pause is over, and then asks the session that was made in it', async () => {
    // A pause that is kept in the session outlives itself there (GitLab #29702).
    const { host, browser, enrolment } = await enrolledVisit()
    await pause(host, host.system.now() + DAY)
    await passFirstStep(browser, ann).expect(302)
    await browser.get('/inside').expect(200, FREE)
    host.system.advance(DAY - 1)
    await browser.get('/inside').expect(200, FREE)
    host.system.advance(1)
    await getJson(browser, '/inside').expect(401)
    await getPage(browser, '/inside').expect(303).expect('Location', '/second-step/challenge')
    await giveCode(browser, enrolment.code()).expect(200)
    await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
  })

  it('is neither renewed nor cleared by a login, nor by a code that is given in it', async () => {
    // A pause that renews itself at a login (stellar-wallet #62).
    const { host, enrolment } = await enrolledVisit()
    const until = host.system.now() + 3 * DAY
    await pause(host, until)
    for (let day = 0; day < 3; day += 1) {
      const browser = browserOf(host)
      await passFirstStep(browser, ann).expect(302)
      await postJson(browser, '/second-step/fresh', { code: enrolment.code() }).expect(200)
      expect((await recordOf(host)).pausedUntil).to.equal(until)
      host.system.advance(DAY)
    }
    expect((await passFirstStep(browserOf(host), ann)).body.status).to.equal('code-required')
  })

  it('leaves users who have passed both steps unchanged', async () => {
    const { host, browser } = await signedInVisit()
    await pause(host, host.system.now() + DAY)
    await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
    host.system.advance(2 * DAY)
    await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
  })

  it('signs in a user who waits at the challenge', async () => {
    const { host, browser } = await pendingVisit()
    await pause(host, host.system.now() + DAY)
    await browser.get('/inside').expect(200, FREE)
  })

  it('is shown to the user, with its end or without one', async () => {
    const { host, browser } = await enrolledVisit()
    await pause(host, host.system.now() + DAY)
    await passFirstStep(browser, ann).expect(302)
    const settings = () => getJson(browser, '/second-step/').expect(200)
    expect((await settings()).body).to.include({
      enrolled: true,
      pausedUntil: new Date(host.system.now() + DAY).toISOString(),
    })
    const page = await getPage(browser, '/second-step/').expect(200)
    expect(page.text.replace(/<\/?time[^>]*>/g, '')).to.include(
      'Until January 6, 2026 at 12:00 PM (UTC) you sign in without the second step',
    )
    expectPaused(page.text)
    await pause(host, FOREVER)
    expect((await settings()).body.pausedUntil).to.equal('forever')
    const endless = await getPage(browser, '/second-step/').expect(200)
    expect(endless.text).to.include('until an admin ends the pause')
    expectPaused(endless.text)
    await pause(host, host.system.now())
    await getJson(browser, '/second-step/').expect(401)
  })

  it('is never fresh: a sensitive route asks for a code all the same', async () => {
    const routes = ({ app, secondStep }: HostParts) => {
      app.post('/payout', secondStep.requireFresh(), (_req, res) => res.json({ paid: true }))
    }
    const { host, browser, enrolment } = await enrolledVisit({ routes })
    await pause(host, host.system.now() + DAY)
    await passFirstStep(browser, ann).expect(302)
    await postJson(browser, '/payout').expect(403)
    await postJson(browser, '/second-step/fresh', { code: enrolment.code() }).expect(200)
    await postJson(browser, '/payout').expect(200, { paid: true })
  })

  it('without an end is not honoured once the policy requires a second step', async () => {
    const { host, browser, enrolment } = await enrolledVisit()
    await pause(host, FOREVER)
    await passFirstStep(browser, ann).expect(302)
    await browser.get('/inside').expect(200, FREE)
    await setPolicy(host, { mode: 'required' })
    await getJson(browser, '/inside').expect(401)
    await giveCode(browser, enrolment.code()).expect(200)
    const { text } = await getPage(browser, '/second-step/').expect(200)
    expect(text).to.include('<p class="state on">On</p>')
    expect(text).to.include('You are asked for your second step when you sign in')
  })
})
