import { expect } from 'chai'
import { isIn, letsIn, withoutTrace } from '../../support/actions.js'
import {
  expectProblem,
  expectSafeHeaders,
  getPage,
  postForm,
  postJson,
} from '../../support/answers.js'
import { SECOND } from '../../support/clock.js'
import { recordOf, signedInVisit } from '../../support/visits.js'

const SHOW = '/second-step/show-key'

describe('the live key, shown again', () => {
  it('is that of the set-up, and nothing else changes', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    const before = await recordOf(host)
    const shown = await postJson(browser, SHOW, { code: enrolment.code() }).expect(200)
    expectSafeHeaders(shown)
    const { uri, qr, ...rest } = shown.body
    expect(rest).to.deep.equal({
      ...{ type: 'totp', issuer: 'Acme', account: 'Ann', secret: enrolment.secret },
      ...{ algorithm: 'SHA1', digits: 6, period: 30, expiresAt: null },
    })
    expect(new URL(uri).searchParams.getAll('secret')).to.deep.equal([enrolment.secret])
    expect(qr).to.match(/^<svg/)
    expect(withoutTrace(await recordOf(host))).to.deep.equal(withoutTrace(before))
    host.system.advance(30 * SECOND)
    expect(await letsIn(host, enrolment.code())).to.equal(true)
    expect(await isIn(browser)).to.equal(true)
  })

  it('is on a page with nothing to confirm, kept by no cache', async () => {
    const { browser, enrolment } = await signedInVisit()
    const page = await postForm(browser, SHOW, { code: enrolment.code() }).expect(200)
    expectSafeHeaders(page)
    expect(page.text).to.include(enrolment.secret.match(/.{4}/g)?.join(' '))
    expect(page.text).to.not.include('<form')
  })

  it('takes a code each time', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    await postJson(browser, SHOW, { code: enrolment.code() }).expect(200)
    expectProblem(await postJson(browser, SHOW), 'malformed-request', 400)
    host.system.advance(30 * SECOND)
    await postJson(browser, SHOW, { code: enrolment.code() }).expect(200)
  })

  it('is switched off by the host: no key, no attempt, and no form for it', async () => {
    const { host, browser, enrolment } = await signedInVisit({ options: { showKey: false } })
    const before = await recordOf(host)
    const answer = await postJson(browser, SHOW, { code: enrolment.code() })
    expectProblem(answer, 'switched-off', 409)
    const page = await postForm(browser, SHOW, { code: enrolment.code() }).expect(409)
    expect(page.text).to.not.include('otpauth:')
    expect(await recordOf(host)).to.deep.equal(before)
    const settings = await getPage(browser, '/second-step/').expect(200)
    expect(settings.text).to.not.include('action="/second-step/show-key"')
  })
})
