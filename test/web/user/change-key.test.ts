import { expect } from 'chai'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { isIn, letsIn, withoutTrace } from '../../support/actions.js'
import {
  expectProblem,
  expectSafeHeaders,
  getJson,
  getPage,
  postForm,
  postJson,
} from '../../support/answers.js'
import { type Browser, browserOf, giveCode, signIn } from '../../support/browser.js'
import { MINUTE, SECOND } from '../../support/clock.js'
import { ann, type Host } from '../../support/host.js'
import { cookieOf, useCookie } from '../../support/sessions.js'
import {
  pendingBrowser,
  recordOf,
  signedInVisit,
  type Visit,
  wrongCodeOf,
} from '../../support/visits.js'

const CHANGE = '/second-step/change-key'
const SETUP = '/second-step/setup'

const codeFor = ({ system }: Host, secret: string) =>
  virtualAuthenticator(secret).code(system.now())

/** Begins a change of key, and moves the time on so that the next codes are new ones. */
async function begin({ host, browser, enrolment }: Visit): Promise<string> {
  const { body } = await postJson(browser, CHANGE, { code: enrolment.code() }).expect(200)
  host.system.advance(30 * SECOND)
  return body.secret
}

/** Ann is signed in and looks at the new key. */
async function changing() {
  const visit = await signedInVisit()
  return { ...visit, secret: await begin(visit) }
}

const confirm = (browser: Browser, code: string) => postJson(browser, SETUP, { code })

describe('a change of key', () => {
  it('shows a new key, as a set-up does, and again at a reload', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    const begun = await postJson(browser, CHANGE, { code: enrolment.code() }).expect(200)
    expectSafeHeaders(begun)
    const { secret, uri, qr, expiresAt, ...rest } = begun.body
    const key = { algorithm: 'SHA1', digits: 6, period: 30 }
    const same = { type: 'totp', issuer: 'Acme', account: 'Ann', ...key }
    expect(rest).to.deep.equal(same)
    expect(secret)
      .to.match(/^[A-Z2-7]{32}$/)
      .and.not.equal(enrolment.secret)
    expect(new URL(uri).searchParams.get('secret')).to.equal(secret)
    expect(qr).to.match(/^<svg/)
    expect(expiresAt).to.equal(new Date(host.system.now() + 10 * MINUTE).toISOString())
    expect((await getJson(browser, SETUP).expect(200)).body).to.deep.equal(begun.body)
  })

  it('leads a page’s visitor to the page of a set-up, which a reload shows again', async () => {
    const { browser, enrolment } = await signedInVisit()
    const begun = await postForm(browser, CHANGE, { code: enrolment.code() }).expect(303)
    expect(begun.headers.location).to.equal(SETUP)
    const page = await getPage(browser, SETUP).expect(200)
    expect(page.text).to.include('Change your device').and.to.include('otpauth:')
    expect((await getPage(browser, SETUP).expect(200)).text).to.equal(page.text)
  })

  it('leaves the old authenticator as it is until the new one is confirmed', async () => {
    const { host, enrolment, secret } = await changing()
    expect(await letsIn(host, codeFor(host, secret)), 'the new one').to.equal(false)
    expect(await letsIn(host, enrolment.code()), 'the old one').to.equal(true)
    expect(await letsIn(host, enrolment.backupCodes[0] ?? ''), 'a backup code').to.equal(true)
  })

  it('ends with the new authenticator and new backup codes alone', async () => {
    const { host, browser, enrolment, secret } = await changing()
    const answer = await confirm(browser, codeFor(host, secret)).expect(200)
    expect(answer.body).to.have.all.keys('status', 'backupCodes', 'next')
    expect(answer.body).to.include({ status: 'enrolled', next: '/' })
    host.system.advance(30 * SECOND)
    expect(await letsIn(host, enrolment.code()), 'the old one').to.equal(false)
    expect(await letsIn(host, enrolment.backupCodes[0] ?? ''), 'an old code').to.equal(false)
    expect(await letsIn(host, codeFor(host, secret)), 'the new one').to.equal(true)
    expect(await letsIn(host, answer.body.backupCodes[0]), 'a new code').to.equal(true)
  })

  it('burns the code that confirmed it', async () => {
    // hanko #2723: the code that confirmed a set-up was good for a login too.
    const { host, browser, secret } = await changing()
    const code = codeFor(host, secret)
    await confirm(browser, code).expect(200)
    expect(await letsIn(host, code)).to.equal(false)
  })

  it('changes nothing when the visitor goes back', async () => {
    const visit = await signedInVisit()
    const { browser, host, enrolment } = visit
    const before = await recordOf(host)
    await begin(visit)
    const page = await getPage(browser, '/second-step/').expect(200)
    expect(page.text).to.include('Authenticator app')
    expect(withoutTrace(await recordOf(host))).to.deep.equal(withoutTrace(before))
    expect(await isIn(browser)).to.equal(true)
    expect(await letsIn(host, enrolment.code())).to.equal(true)
  })

  it('is over after ten minutes', async () => {
    const { host, browser, enrolment, secret } = await changing()
    host.system.advance(10 * MINUTE - 30 * SECOND)
    expectProblem(await confirm(browser, codeFor(host, secret)), 'already-enrolled', 409)
    expectProblem(await getJson(browser, SETUP), 'already-enrolled', 409)
    const page = await getPage(browser, SETUP).expect(409)
    expect(page.text).to.include('href="/second-step/"').and.to.not.include('otpauth:')
    expect(await letsIn(host, enrolment.code())).to.equal(true)
  })

  it('ends after ten wrong codes, which cost the live authenticator nothing', async () => {
    const { host, browser, enrolment, secret } = await changing()
    for (let miss = 0; miss < 10; miss += 1) {
      expectProblem(await confirm(browser, wrongCodeOf(host, { secret })), 'wrong-code', 401)
    }
    expectProblem(await confirm(browser, codeFor(host, secret)), 'already-enrolled', 409)
    expect((await recordOf(host)).attempts.misses).to.deep.equal([])
    expect(await letsIn(host, enrolment.code())).to.equal(true)
  })

  it('is begun by a code, never by asking for its page', async () => {
    const { host, browser } = await signedInVisit()
    expectProblem(await getJson(browser, SETUP), 'already-enrolled', 409)
    expect((await recordOf(host)).setup).to.equal(null)
  })

  it('says on the page that the device’s clock is off, and in JSON by how much', async () => {
    const { host, browser, secret } = await changing()
    const late = virtualAuthenticator(secret).code(host.system.now() - 3 * MINUTE)
    const page = await postForm(browser, SETUP, { code: late }).expect(401)
    expect(page.text).to.include('about 3 minutes behind')
    const json = await confirm(browser, late)
    expect(json.body).to.include({ code: 'wrong-code', clockOff: -180 })
  })
})

describe('another session, during a change of key', () => {
  it('cannot see or confirm the new key', async () => {
    // FileRise CVE-2026-44460: whoever had the password saw the key that was being set up.
    const { host, browser, enrolment, secret } = await changing()
    const other = browserOf(host)
    await signIn(other, ann, enrolment)
    expectProblem(await getJson(other, SETUP), 'already-enrolled', 409)
    expectProblem(await confirm(other, codeFor(host, secret)), 'already-enrolled', 409)
    const pending = await pendingBrowser(host)
    expectProblem(await confirm(pending, codeFor(host, secret)), 'code-required', 401)
    await confirm(browser, codeFor(host, secret)).expect(200)
  })

  it('ends it by beginning its own', async () => {
    const { host, browser, enrolment, secret } = await changing()
    const other = browserOf(host)
    await signIn(other, ann, enrolment)
    host.system.advance(30 * SECOND)
    const another = await begin({ host, browser: other, enrolment })
    expectProblem(await confirm(browser, codeFor(host, secret)), 'already-enrolled', 409)
    await confirm(other, codeFor(host, another)).expect(200)
    host.system.advance(30 * SECOND)
    expect(await letsIn(host, codeFor(host, secret))).to.equal(false)
    expect(await letsIn(host, codeFor(host, another))).to.equal(true)
  })
})

describe('two tabs that change the key at once', () => {
  it('end with one key, the confirmed one', async () => {
    const visit = await signedInVisit()
    const { host, browser, enrolment } = visit
    const first = await begin(visit)
    const second = await begin(visit)
    expectProblem(await confirm(browser, codeFor(host, first)), 'wrong-code', 401)
    await confirm(browser, codeFor(host, second)).expect(200)
    host.system.advance(30 * SECOND)
    for (const secret of [first, enrolment.secret]) {
      expect(await letsIn(host, codeFor(host, secret))).to.equal(false)
    }
    expect(await letsIn(host, codeFor(host, second))).to.equal(true)
  })

  it('are confirmed once by one code, sent twice at the same time', async () => {
    // Both would show backup codes, and those of one would be dead already.
    const { host, browser, secret } = await changing()
    const code = codeFor(host, secret)
    const answers = await Promise.all([1, 2].map(() => confirm(browser, code)))
    const won = answers.filter(({ status }) => status === 200)
    expect(won).to.have.length(1)
    expect(await letsIn(host, won[0]?.body.backupCodes[0])).to.equal(true)
  })
})

describe('the sessions at a change of key', () => {
  it('end, all but the one it happened in, which gets a new id', async () => {
    // Joomla CVE-2024-21722: a change of factors left the other sessions alive.
    const { host, browser, enrolment, secret } = await changing()
    const other = browserOf(host)
    const before = cookieOf(await giveCode(await pendingBrowser(host), enrolment.code()))
    useCookie(other, before)
    expect(await isIn(other)).to.equal(true)
    const pending = await pendingBrowser(host)

    const page = await postForm(browser, SETUP, { code: codeFor(host, secret) }).expect(200)
    expect(page.text).to.include(
      'You stay signed in here. Everywhere else you have been signed out',
    )
    expect(cookieOf(page)).to.match(/^connect\.sid=/)
    expect(await isIn(browser)).to.equal(true)
    expect(await isIn(other)).to.equal(false)
    host.system.advance(30 * SECOND)
    const late = await giveCode(pending, codeFor(host, secret))
    expectProblem(late, 'sign-in-again', 401)
  })
})
