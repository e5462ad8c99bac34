import { expect } from 'chai'
import { isIn } from '../../support/actions.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, passFirstStep, signIn } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { ann } from '../../support/host.js'
import { authenticatorOf } from '../../support/records.js'
import { cookieOf, useCookie } from '../../support/sessions.js'
import { pendingBrowser, recordOf, setPolicy, signedInVisit } from '../../support/visits.js'

const DISABLE = '/second-step/disable'

describe('turning the second step off', () => {
  it('makes the first step enough again', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    const answer = await postJson(browser, DISABLE, { code: enrolment.code() }).expect(200)
    expect(answer.body).to.deep.equal({ status: 'disabled' })
    const record = await recordOf(host)
    const authenticator = authenticatorOf(record)
    const { backupCodes, mustSetUp } = record
    expect([authenticator, backupCodes, mustSetUp]).to.deep.equal([null, null, null])
    const next = browserOf(host)
    await passFirstStep(next, ann).expect(302)
    await next.get('/inside').expect(200, { user: 'ann', status: 'none' })
  })

  it('lets this session live on under a new id and ends all others', async () => {
    // Joomla CVE-2024-21722: a change of factors left the other sessions alive.
    const { host, browser, enrolment } = await signedInVisit()
    const other = browserOf(host)
    const before = cookieOf(await giveCode(await pendingBrowser(host), enrolment.code()))
    useCookie(other, before)
    expect(await isIn(other)).to.equal(true)
    const pending = await pendingBrowser(host)
    host.system.advance(MINUTE)
    const answer = await postJson(browser, DISABLE, { code: enrolment.code() }).expect(200)
    expect(cookieOf(answer)).to.match(/^connect\.sid=/)
    await browser.get('/inside').expect(200, { user: 'ann', status: 'none' })
    expect(await isIn(other)).to.equal(false)
    const [code] = enrolment.backupCodes
    expectProblem(await giveCode(pending, code), 'sign-in-again', 401)
    expect((await getJson(browser, '/second-step/')).body).to.include({
      ...{ enrolled: false, method: null, since: null, freshUntil: null, canDisable: false },
    })
  })

  it('says so once on the settings page', async () => {
    const { browser, enrolment } = await signedInVisit()
    const done = await postForm(browser, DISABLE, { code: enrolment.code() }).expect(303)
    expect(done.headers.location).to.equal('/second-step/')
    const said = 'from now on you sign in with your password alone'
    expect((await getPage(browser, '/second-step/').expect(200)).text).to.include(said)
    expect((await getPage(browser, '/second-step/').expect(200)).text).to.not.include(said)
  })

  it('is refused where the policy demands it, whatever the code, and burns none', async () => {
    // A rule that users can lift themselves enforces nothing.
    const { host, browser, enrolment } = await signedInVisit()
    await setPolicy(host, { mode: 'required' })
    const before = await recordOf(host)
    for (const code of [enrolment.code(), enrolment.backupCodes[0], 'odd']) {
      expectProblem(await postJson(browser, DISABLE, { code }), 'required-by-policy', 409)
    }
    const page = await postForm(browser, DISABLE, { code: enrolment.code() }).expect(409)
    expect(page.text).to.include('This account must have a second step')
    expect(await recordOf(host)).to.deep.equal(before)
    expect(await isIn(browser)).to.equal(true)
  })

  it('is refused where the policy comes to demand it while the change is under way', async () => {
    // The rule was asked about once, and the record read again as often as somebody else was first.
    const { host, browser, enrolment } = await signedInVisit()
    const before = await recordOf(host)
    const { write } = host.store
    host.store.write = async () => {
      host.store.write = write
      await setPolicy(host, { mode: 'required' })
      return false
    }
    const code = enrolment.code()
    expectProblem(await postJson(browser, DISABLE, { code }), 'required-by-policy', 409)
    expect(await recordOf(host), 'no code is burned').to.deep.equal(before)
    expect(await isIn(browser)).to.equal(true)
    await postJson(browser, '/second-step/fresh', { code }).expect(200)
  })

  it('can be taken back by a new set-up, with other codes', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    await postJson(browser, DISABLE, { code: enrolment.code() }).expect(200)
    host.system.advance(MINUTE)
    const again = await enrol(host, ann)
    expect(again.secret).to.not.equal(enrolment.secret)
    expect(await isIn(browser), 'a session without a code').to.equal(false)
    const next = browserOf(host)
    await signIn(next, ann, again)
    expect(await isIn(next)).to.equal(true)
  })
})
