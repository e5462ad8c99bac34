// The mistake: a machine's clock was ahead, by a day or a year, and was set right. What was begun
// meanwhile is dated in the future: taken at its word it would last as much longer.

import { expect } from 'chai'
import { expectProblem, getJson, postJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, passFirstStep, signIn } from '../../support/browser.js'
import { DAY, MINUTE, SECOND } from '../../support/clock.js'
import { ann, type Host, type HostOptions, makeHost } from '../../support/host.js'
import { lostVisit } from '../../support/lost.js'
import { cookieOf, slowRequest, useCookie } from '../../support/sessions.js'
import {
  pendingBrowser,
  pendingVisit,
  recordOf,
  setPolicy,
  signedInVisit,
} from '../../support/visits.js'

const CHALLENGE = '/second-step/challenge'
const SETUP = '/second-step/setup'

const payouts: HostOptions = {
  routes: ({ app, secondStep }) => {
    app.post('/payout', secondStep.requireFresh(), (_req, res) => res.json({ status: 'done' }))
  },
}

/** A host whose clock is ahead by so much; `setRight` ends that. */
function hostAhead(by: number, options: HostOptions = {}) {
  const host = makeHost(options)
  host.system.advance(by)
  return { host, setRight: () => host.system.advance(-by) }
}

async function change(host: Host, part: object): Promise<void> {
  const record = await recordOf(host)
  const next = { ...record, ...part, version: record.version + 1, writeId: `w${record.version}` }
  expect(await host.store.write(next, record.version)).to.equal(true)
}

describe('a clock that was ahead and is right again', () => {
  it('leaves no session behind that is fresh for a year, or that goes on', async () => {
    const { host, setRight } = hostAhead(365 * DAY, payouts)
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await signIn(browser, ann, enrolment)
    await postJson(browser, '/payout').expect(200)
    setRight()
    expectProblem(await postJson(browser, '/payout'), 'not-signed-in', 401)
    await getJson(browser, '/inside').expect(401)
  })

  it('leaves no pending login behind that lasts longer than ten minutes', async () => {
    const { host, setRight } = hostAhead(DAY)
    const { code } = await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(200)
    setRight()
    expectProblem(await getJson(browser, CHALLENGE), 'sign-in-again', 401)
    expectProblem(await giveCode(browser, code()), 'sign-in-again', 401)
  })

  it('leaves no set-up behind whose key can be confirmed for longer', async () => {
    const host = makeHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    const first = await getJson(browser, SETUP).expect(200)
    const { setup } = await recordOf(host)
    await change(host, { setup: { ...setup, startedAt: host.system.now() + DAY } })
    const second = await getJson(browser, SETUP).expect(200)
    expect(second.body.secret).not.to.equal(first.body.secret)
  })

  it('leaves no one-time code and no reset of the user’s own behind that open when their time comes', async () => {
    const { host } = await pendingVisit()
    const at = host.system.now() + 30 * DAY
    const code = { id: 'a', keyId: null, digest: 'd', expiresAt: at + DAY, usedAt: null }
    await change(host, { oneTimeCodes: [code] })
    await passFirstStep(browserOf(host), ann).expect(200)
    expect((await recordOf(host)).oneTimeCodes).to.deep.equal([])
    await change(host, { authenticators: [], mustSetUp: { until: at + DAY, from: at } })
    const demanded = async () => (await passFirstStep(browserOf(host), ann)).body.status
    expect(await demanded()).to.equal('code-required')
    host.system.advance(30.5 * DAY)
    expect(await demanded()).to.equal('code-required')
  })

  it('leaves no pause behind that is longer than any, and no set-up by the password alone', async () => {
    const { host } = await pendingVisit()
    const longest = host.system.now() + 365 * DAY
    await change(host, { pausedUntil: longest + MINUTE })
    await passFirstStep(browserOf(host), ann).expect(302)
    await change(host, { pausedUntil: longest + MINUTE + 1 })
    await passFirstStep(browserOf(host), ann).expect(200)
    const demanded = async (until: number) => {
      await change(host, { authenticators: [], pausedUntil: null, mustSetUp: { until } })
      const answer = await passFirstStep(browserOf(host), ann).expect(200)
      return answer.body.status
    }
    const week = host.system.now() + 7 * DAY
    expect(await demanded(week + MINUTE)).to.equal('setup-required')
    expect(await demanded(week + MINUTE + 1)).to.equal('code-required')
  })

  it('gives nobody days of grace beyond those from the first request on', async () => {
    const { host, setRight } = hostAhead(365 * DAY)
    const since = host.system.now()
    setRight()
    await setPolicy(host, { mode: 'required', requiredSince: { general: since, roles: {} } })
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(302)
    const settings = await getJson(browser, '/second-step/').expect(200)
    const week = new Date(host.system.now() + 7 * DAY)
    expect(settings.body.setupDeadline).to.equal(week.toISOString())
    host.system.advance(7 * DAY - 1)
    await getJson(browser, '/inside').expect(200)
    host.system.advance(1)
    expectProblem(await getJson(browser, '/second-step/'), 'setup-required', 403, SETUP)
  })

  it('gives no new days to a user whose record has noted a start that is ahead', async () => {
    const host = makeHost()
    const start = host.system.now() + 365 * DAY
    await setPolicy(host, { mode: 'required', requiredSince: { general: start, roles: {} } })
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(302)
    await change(host, { ruleStart: start })
    await getJson(browser, '/inside').expect(200)
    expect((await recordOf(host)).ruleStart).to.equal(host.system.now())
  })

  it('leaves no reset by mail behind that comes alive when the time comes', async () => {
    const { host, ask, link } = await lostVisit()
    host.system.advance(DAY)
    const hasty = await pendingBrowser(host)
    await ask(undefined, hasty)
    host.system.advance(-DAY)
    // The owner's next login.
    const browser = await pendingBrowser(host)
    expect((await recordOf(host)).mailReset).to.equal(null)
    await getJson(browser, CHALLENGE).expect(200)
    host.system.advance(DAY)
    expectProblem(await postJson(await pendingBrowser(host), link()), 'link-expired', 410)
  })

  it('keeps a reset by mail that another machine began, whose clock is a minute ahead', async () => {
    const { host, ask, link } = await lostVisit()
    host.system.advance(MINUTE)
    await ask(undefined, await pendingBrowser(host))
    host.system.advance(-MINUTE)
    const browser = await pendingBrowser(host)
    host.system.advance(MINUTE)
    await postJson(browser, link()).expect(200)
  })

  it('revives nothing that was ended meanwhile', async () => {
    const { host, setRight } = hostAhead(DAY)
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(200)
    const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
    const slow = slowRequest(host, cookie)
    await postJson(browser, '/logout').expect(200)
    setRight()
    // As late as the stamp says, so that it is no longer ahead.
    host.system.advance(DAY + MINUTE)
    slow.writeBack()
    await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401)
  })
})

describe('two machines whose clocks are a minute apart', () => {
  it('take each other’s sessions and pending logins, and beyond that none', async () => {
    for (const [apart, taken] of [
      [MINUTE, true],
      [MINUTE + 1, false],
    ] as const) {
      const { host, browser } = await signedInVisit(payouts)
      const waiting = await pendingVisit()
      host.system.advance(-30 * SECOND - apart)
      waiting.host.system.advance(-apart)
      expect((await getJson(browser, '/inside')).status === 200, 'session').to.equal(taken)
      expect((await postJson(browser, '/payout')).status === 200, 'fresh').to.equal(taken)
      const pending = await getJson(waiting.browser, CHALLENGE)
      expect(pending.status === 200, 'pending').to.equal(taken)
    }
  })
})
