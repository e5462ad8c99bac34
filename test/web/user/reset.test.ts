import { expect } from 'chai'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { isIn } from '../../support/actions.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { type Browser, browserOf, giveCode, passFirstStep, signIn } from '../../support/browser.js'
import { DAY, HOUR, MINUTE } from '../../support/clock.js'
import { ann } from '../../support/host.js'
import { authenticatorOf } from '../../support/records.js'
import { pendingBrowser, recordOf, signedInVisit } from '../../support/visits.js'

const RESET = '/second-step/reset'
const SETUP = '/second-step/setup'

/** Ann has just reset the second step. */
async function afterReset() {
  const visit = await signedInVisit()
  await postJson(visit.browser, RESET, { code: visit.enrolment.code() }).expect(200)
  return visit
}

async function setUpIn(browser: Browser, now: number) {
  const { body } = await getJson(browser, SETUP).expect(200)
  const code = virtualAuthenticator(body.secret).code(now)
  return postJson(browser, SETUP, { code }).expect(200)
}

describe('a reset', () => {
  it('ends this session and all others, and every pending login', async () => {
    // Joomla CVE-2024-21722: a change of factors left the other sessions alive.
    const { host, browser, enrolment } = await signedInVisit()
    const other = browserOf(host)
    await signIn(other, ann, enrolment)
    const pending = await pendingBrowser(host)
    host.system.advance(MINUTE)
    const answer = await postJson(browser, RESET, { code: enrolment.code() }).expect(200)
    expect(answer.body).to.deep.equal({ status: 'reset' })
    for (const each of [browser, other]) {
      expect(await isIn(each)).to.equal(false)
      expectProblem(await getJson(each, '/second-step/'), 'not-signed-in', 401)
    }
    const [code] = enrolment.backupCodes
    expectProblem(await giveCode(pending, code), 'sign-in-again', 401)
  })

  it('leads a page’s visitor to the sign-in page', async () => {
    const { browser, enrolment } = await signedInVisit()
    const answer = await postForm(browser, RESET, { code: enrolment.code() }).expect(303)
    expect(answer.headers.location).to.equal('/login?secondStep=reset')
    expect(await isIn(browser)).to.equal(false)
  })

  it('forgets authenticator and backup codes', async () => {
    const { host } = await afterReset()
    const record = await recordOf(host)
    const authenticator = authenticatorOf(record)
    const { backupCodes, setup, mustSetUp } = record
    expect([authenticator, backupCodes, setup]).to.deep.equal([null, null, null])
    const from = host.system.now()
    expect(mustSetUp).to.deep.equal({ until: from + DAY, from })
  })
})

describe('the login after a reset', () => {
  it('leads to the set-up, and to nothing else, for a day', async () => {
    const { host, enrolment } = await afterReset()
    host.system.advance(DAY - 5 * MINUTE)
    const browser = browserOf(host)
    const login = await passFirstStep(browser, ann).expect(200)
    expect(login.body).to.deep.equal({ status: 'setup-required', next: SETUP })
    expect(await isIn(browser)).to.equal(false)
    expectProblem(await giveCode(browser, enrolment.backupCodes[0]), 'setup-required', 403, SETUP)
    const done = await setUpIn(browser, host.system.now())
    expect(done.body).to.include({ status: 'enrolled', next: '/inside' })
    expect(await isIn(browser)).to.equal(true)
    expect((await recordOf(host)).mustSetUp).to.equal(null)
  })

  it('gets no further when the day is over: the password alone opens nothing', async () => {
    const { host, enrolment } = await afterReset()
    host.system.advance(DAY)
    const browser = browserOf(host)
    const login = await passFirstStep(browser, ann).expect(200)
    expect(login.body.status).to.equal('code-required')
    expectProblem(await getJson(browser, SETUP), 'code-required', 401)
    for (const code of [enrolment.code(), enrolment.backupCodes[0]]) {
      expectProblem(await giveCode(browser, code), 'sign-in-again', 401)
    }
    expect(await isIn(browser)).to.equal(false)
    host.system.advance(365 * DAY)
    const later = await passFirstStep(browserOf(host), ann).expect(200)
    expect(later.body.status).to.equal('code-required')
  })

  it('gets no further either when the day ends during it', async () => {
    const { host } = await afterReset()
    host.system.advance(DAY - MINUTE)
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(200)
    const { body } = await getJson(browser, SETUP).expect(200)
    host.system.advance(2 * MINUTE)
    const code = virtualAuthenticator(body.secret).code(host.system.now())
    expectProblem(await postJson(browser, SETUP, { code }), 'code-required', 401)
    expect(authenticatorOf(await recordOf(host))).to.equal(null)
  })

  it('shows each browser a key of its own, and the first set-up ends the others', async () => {
    const { host } = await afterReset()
    host.system.advance(HOUR)
    const [mine, theirs] = [browserOf(host), browserOf(host)]
    for (const browser of [mine, theirs]) await passFirstStep(browser, ann).expect(200)
    const { body } = await getJson(theirs, SETUP).expect(200)
    await setUpIn(mine, host.system.now())
    const code = virtualAuthenticator(body.secret).code(host.system.now())
    expectProblem(await postJson(theirs, SETUP, { code }), 'sign-in-again', 401)
    expect((await getPage(theirs, '/inside')).status).to.equal(401)
  })
})
