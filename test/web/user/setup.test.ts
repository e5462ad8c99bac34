import { expect } from 'chai'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { type Browser, browserOf, giveCode, passFirstStep } from '../../support/browser.js'
import { MINUTE, SECOND } from '../../support/clock.js'
import { ann, type Host, type HostOptions, makeHost } from '../../support/host.js'
import { cookieOf, editSession, useCookie } from '../../support/sessions.js'
import { pendingVisit, recordOf, signedInVisit, wrongCodeOf } from '../../support/visits.js'

const SETUP = '/second-step/setup'

/** Ann is signed in without a second step, and looks at the QR code. */
async function settingUp(options: HostOptions = {}) {
  const host = makeHost(options)
  const browser = browserOf(host)
  await passFirstStep(browser, ann).expect(302)
  return { host, browser, secret: await secretShown(browser) }
}

async function secretShown(browser: Browser): Promise<string> {
  const { body } = await getJson(browser, SETUP).expect(200)
  return body.secret
}

const codeFor = ({ system }: Host, secret: string) =>
  virtualAuthenticator(secret).code(system.now())

const confirm = (browser: Browser, code: string) => postJson(browser, SETUP, { code })

describe('a set-up', () => {
  it('shows a secret of the server’s: 160 bits, the same at a reload', async () => {
    const { host, browser, secret } = await settingUp()
    expect(secret).to.match(/^[A-Z2-7]{32}$/)
    expect(await secretShown(browser)).to.equal(secret)
    const page = await getPage(browser, SETUP).expect(200)
    expect(page.text).to.include(secret.match(/.{4}/g)?.join(' '))
    expect(page.text).to.include('<svg').and.to.include('otpauth://totp/Acme:Ann?secret=')
    expect(JSON.stringify(await recordOf(host)), 'sealed at rest').to.not.include(secret)
  })

  it('turns the second step on with one right code, and keeps the session', async () => {
    const { host, browser, secret } = await settingUp()
    const answer = await confirm(browser, codeFor(host, secret)).expect(200)
    expect(answer.body).to.have.all.keys('status', 'backupCodes', 'next')
    expect(answer.body).to.include({ status: 'enrolled', next: '/' })
    await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
    expect((await host.secondStep.status('ann')).state).to.equal('on')
  })

  it('is another’s in another browser of the same user, and its start ends the first', async () => {
    // Somebody with the password must neither see nor confirm the secret that the owner scans.
    const { host, browser, secret } = await settingUp()
    const other = browserOf(host)
    await passFirstStep(other, ann)
    const another = await secretShown(other)
    expect(another).to.not.equal(secret)
    expectProblem(await confirm(browser, codeFor(host, secret)), 'setup-expired', 410)
    expectProblem(await confirm(browser, codeFor(host, another)), 'setup-expired', 410)
    expect((await host.secondStep.status('ann')).state).to.equal('off')
    await confirm(other, codeFor(host, another)).expect(200)
  })

  it('is not begun by a code alone', async () => {
    const { host, browser, secret } = await settingUp()
    const other = browserOf(host)
    await passFirstStep(other, ann)
    expectProblem(await confirm(other, codeFor(host, secret)), 'setup-expired', 410)
    await confirm(browser, codeFor(host, secret)).expect(200)
  })

  it('is another’s after signing out and in again in the same browser', async () => {
    const { host, browser, secret } = await settingUp()
    await browser.post('/logout').expect(200)
    await passFirstStep(browser, ann)
    expectProblem(await confirm(browser, codeFor(host, secret)), 'setup-expired', 410)
    expect(await secretShown(browser)).to.not.equal(secret)
  })

  it('shows the same QR code again after a wrong code and after a typo', async () => {
    const { host, browser, secret } = await settingUp()
    const shown = secret.match(/.{4}/g)?.join(' ')
    const wrong = wrongCodeOf(host, { secret })
    const refused = await postForm(browser, SETUP, { code: wrong }).expect(401)
    expect(refused.text).to.include(shown).and.to.include('That code didn’t work')
    const mistyped = await postForm(browser, SETUP, { code: 'x' }).expect(400)
    expect(mistyped.text).to.include(shown)
    expectProblem(await confirm(browser, wrong), 'wrong-code', 401)
    expect(await secretShown(browser)).to.equal(secret)
    await confirm(browser, codeFor(host, secret)).expect(200)
  })

  it('expires after ten minutes, to the millisecond, and GET begins a new one', async () => {
    const { host, browser, secret } = await settingUp()
    host.system.advance(10 * MINUTE - 1)
    expectProblem(await confirm(browser, wrongCodeOf(host, { secret })), 'wrong-code', 401)
    host.system.advance(1)
    expectProblem(await confirm(browser, codeFor(host, secret)), 'setup-expired', 410)
    const page = await postForm(browser, SETUP, { code: codeFor(host, secret) }).expect(410)
    expect(page.text).to.include(`href="${SETUP}"`).and.to.not.include('otpauth:')
    const next = await secretShown(browser)
    expect(next).to.not.equal(secret)
    expectProblem(await confirm(browser, codeFor(host, secret)), 'wrong-code', 401)
    await confirm(browser, codeFor(host, next)).expect(200)
  })

  it('ends after ten wrong codes', async () => {
    const { host, browser, secret } = await settingUp()
    for (let miss = 0; miss < 10; miss += 1) {
      expectProblem(await confirm(browser, wrongCodeOf(host, { secret })), 'wrong-code', 401)
    }
    expectProblem(await confirm(browser, codeFor(host, secret)), 'setup-expired', 410)
    expect(await secretShown(browser)).to.not.equal(secret)
  })

  it('counts wrong codes per address', async () => {
    const { host, browser, secret } = await settingUp({ options: { ipLimit: 2 } })
    for (let miss = 0; miss < 2; miss += 1) await confirm(browser, wrongCodeOf(host, { secret }))
    const refused = await confirm(browser, codeFor(host, secret))
    expectProblem(refused, 'too-many-attempts', 429)
    expect(Number(refused.headers['retry-after'])).to.be.within(1, 600)
  })

  it('lets nobody choose the secret', async () => {
    // Directus took the secret from the request: the attacker's own.
    const chosen = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
    const { host, browser, secret } = await settingUp()
    const { body } = await getJson(browser, `${SETUP}?secret=${chosen}`).expect(200)
    expect(body.secret).to.equal(secret)
    const forged = {
      code: codeFor(host, chosen),
      secret: chosen,
      uri: `otpauth://totp/x?secret=${chosen}`,
    }
    expectProblem(await postJson(browser, SETUP, forged), 'wrong-code', 401)
    await postJson(browser, SETUP, { code: codeFor(host, secret), secret: chosen }).expect(200)
    host.system.advance(30 * SECOND)
    const login = browserOf(host)
    await passFirstStep(login, ann).expect(200)
    await giveCode(login, codeFor(host, chosen)).expect(401)
    await giveCode(login, codeFor(host, secret)).expect(200)
  })
})

describe('a set-up of somebody who has an authenticator', () => {
  it('is refused while signed in, shows no secret and changes nothing', async () => {
    // FileRise CVE-2026-44460 showed the live secret, better-auth #10923 replaced it.
    const { host, browser, enrolment } = await signedInVisit()
    const before = await recordOf(host)
    expectProblem(await getJson(browser, SETUP), 'already-enrolled', 409)
    expectProblem(await confirm(browser, enrolment.code()), 'already-enrolled', 409)
    const page = await getPage(browser, SETUP).expect(409)
    expect(page.text).to.not.include('otpauth:').and.to.not.include(enrolment.secret.slice(0, 4))
    expect(await recordOf(host)).to.deep.equal(before)
  })

  it('is refused between the two steps: a password alone shows no secret and binds none', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    const before = await recordOf(host)
    expectProblem(await getJson(browser, SETUP), 'code-required', 401)
    expectProblem(await confirm(browser, enrolment.code()), 'code-required', 401)
    const page = await getPage(browser, SETUP).expect(401)
    expect(page.text).to.not.include('otpauth:')
    expect(await recordOf(host)).to.deep.equal(before)
  })
})

describe('the sessions at a set-up', () => {
  it('end, all but the one it happened in', async () => {
    const { host, browser, secret } = await settingUp()
    const other = browserOf(host)
    await passFirstStep(other, ann)
    await other.get('/inside').expect(200)
    await confirm(browser, codeFor(host, secret)).expect(200)
    const revoked = await getJson(other, '/second-step/challenge')
    expectProblem(revoked, 'not-signed-in', 401)
    await other.get('/inside').expect(401, { user: null })
    await browser.get('/inside').expect(200)
  })

  it('keep what the host put into this one, under a new id', async () => {
    // Session fixation: whoever knew the session's id before must not be in after it.
    const host = makeHost({
      routes: ({ app }) => {
        app.post('/basket', (req, res) =>
          res.json(Object.assign(req.session, { basket: ['book'] })),
        )
        app.get('/basket', (req, res) => res.json(Reflect.get(req.session, 'basket') ?? null))
      },
    })
    const browser = browserOf(host)
    const before = cookieOf(await passFirstStep(browser, ann))
    await browser.post('/basket').expect(200)
    const answer = await confirm(browser, codeFor(host, await secretShown(browser))).expect(200)
    expect(cookieOf(answer)).to.not.equal(before)
    await browser.get('/basket').expect(200, ['book'])
    const thief = useCookie(browserOf(host), before)
    await thief.get('/inside').expect(401, { user: null })
  })

  it('older than the package can set up too', async () => {
    const host = makeHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    editSession(host, (session) => {
      delete session.secondStep
    })
    const secret = await secretShown(browser)
    expect(await secretShown(browser)).to.equal(secret)
    await confirm(browser, codeFor(host, secret)).expect(200)
    await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
  })
})
