import { expect } from 'chai'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import {
  browserOf,
  enrol,
  giveCode,
  HTML,
  JSON_TYPE,
  passFirstStep,
} from '../../support/browser.js'
import { DAY, MINUTE } from '../../support/clock.js'
import { ann, type HostOptions, makeHost } from '../../support/host.js'
import { cookieOf, editSession, sessionsOf, useCookie } from '../../support/sessions.js'
import { pendingVisit, setPolicy, signedInVisit, wrongCodeOf } from '../../support/visits.js'

const FRESH = '/second-step/fresh'

/** A page and a payment that ask for a fresh code, and one that lets the not enrolled pass. */
const payouts: HostOptions = {
  routes: ({ app, secondStep }) => {
    app.use(['/payout', '/api/payout'], secondStep.requireFresh())
    app.get('/payout', (_req, res) => res.send('the form'))
    app.post(['/payout', '/api/payout'], (_req, res) => res.json({ status: 'done' }))
    const pass = secondStep.requireFresh({ notEnrolled: 'pass' })
    app.post('/profile', pass, (_req, res) => res.json({ status: 'done' }))
  },
}

/** Ann is signed in, and the last code is five minutes old. */
async function staleVisit() {
  const visit = await signedInVisit(payouts)
  visit.host.system.advance(4.5 * MINUTE)
  return visit
}

describe('a route with requireFresh', () => {
  it('lets a code of the last five minutes through, to the millisecond', async () => {
    const { host, browser } = await signedInVisit(payouts)
    host.system.advance(4.5 * MINUTE - 1)
    await postJson(browser, '/payout').expect(200)
    host.system.advance(1)
    expectProblem(await postJson(browser, '/payout'), 'fresh-code-required', 403, FRESH)
  })

  it('sends a navigation to the page with the code field, and back, once', async () => {
    const { host, browser, enrolment } = await staleVisit()
    await getPage(browser, '/payout?to=bob').expect(303).expect('Location', FRESH)
    const page = await getPage(browser, FRESH).expect(200)
    expect(page.text).to.include('autocomplete="one-time-code"')
    expect(page.text).to.include(`action="${FRESH}"`)
    const given = await postForm(browser, FRESH, { code: enrolment.code() }).expect(303)
    expect(given.headers.location).to.equal('/payout?to=bob')
    await getPage(browser, '/payout?to=bob').expect(200, 'the form')
    await postForm(browser, '/payout').expect(200)
    host.system.advance(MINUTE)
    const again = await postForm(browser, FRESH, { code: enrolment.code() }).expect(303)
    expect(again.headers.location).to.equal('/')
  })

  it('tells a script where the page is, and leads back to where the script ran', async () => {
    const { browser, enrolment } = await staleVisit()
    const script = () =>
      postJson(browser, '/api/payout').set({
        'X-Requested-With': 'XMLHttpRequest',
        Referer: 'http://127.0.0.1/account?tab=2',
      })
    expectProblem(await script(), 'fresh-code-required', 403, FRESH)
    const given = await postJson(browser, FRESH, { code: enrolment.code() }).expect(200)
    expect(given.body.next).to.equal('/account?tab=2')
    await script().expect(200)
  })

  it('refuses a form with a page that leads on, and then back to the form’s own page', async () => {
    const { browser, enrolment } = await staleVisit()
    const sent = postForm(browser, '/payout').set('Referer', 'http://127.0.0.1/payout')
    const refused = await sent.expect(403).expect('Content-Type', /html/)
    expect(refused.text).to.include(`href="${FRESH}"`)
    const given = await postForm(browser, FRESH, { code: enrolment.code() }).expect(303)
    expect(given.headers.location).to.equal('/payout')
  })

  it('leads to no other origin afterwards', async () => {
    // A form on the attacker's site that lands here must not send the visitor back there.
    for (const referer of ['https://evil.example/', 'http://127.0.0.1.evil.example/', '//evil']) {
      const { browser, enrolment } = await staleVisit()
      await postJson(browser, '/payout').set('Referer', referer).expect(403)
      const given = await postJson(browser, FRESH, { code: enrolment.code() }).expect(200)
      expect(given.body.next).to.equal('/')
    }
  })

  it('signs nobody in: neither anonymous nor pending visitors pass', async () => {
    const { host, browser } = await pendingVisit(payouts)
    expectProblem(await postJson(browser, '/payout'), 'code-required', 401)
    expectProblem(await postJson(browser, '/profile'), 'code-required', 401)
    expectProblem(await postJson(browserOf(host), '/payout'), 'not-signed-in', 401)
    expectProblem(await postJson(browserOf(host), '/profile'), 'not-signed-in', 401)
    await getPage(browserOf(host), '/payout').expect(401)
  })

  it('leads a user without an authenticator to the set-up, unless the host lets them pass', async () => {
    const host = makeHost(payouts)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    const setup = '/second-step/setup'
    expectProblem(await postJson(browser, '/payout'), 'setup-required', 403, setup)
    const page = await getPage(browser, '/payout').expect(403)
    expect(page.text).to.include(`href="${setup}"`)
    await postJson(browser, '/profile').expect(200)
    await enrol(host, ann, browser)
    host.system.advance(5 * MINUTE)
    expectProblem(await postJson(browser, '/profile'), 'fresh-code-required', 403, FRESH)
  })

  it('is passed right after a set-up', async () => {
    const host = makeHost(payouts)
    const browser = browserOf(host)
    await enrol(host, ann, browser)
    await postJson(browser, '/payout').expect(200)
    const { body } = await getJson(browser, FRESH).expect(200)
    expect(body.freshUntil).to.equal(new Date(host.system.now() + 4.5 * MINUTE).toISOString())
  })

  it('is passed after a backup code, at the login or at /fresh', async () => {
    const { host, browser, enrolment } = await staleVisit()
    const given = { code: enrolment.backupCodes[0] }
    await postJson(browser, FRESH, given).expect(200)
    await postJson(browser, '/payout').expect(200)
    const other = browserOf(host)
    await passFirstStep(other, ann).expect(200)
    await postJson(other, '/second-step/challenge', { code: enrolment.backupCodes[1] }).expect(200)
    await postJson(other, '/payout').expect(200)
  })

  it('is not passed by a session that was asked for no code', async () => {
    const visit = await signedInVisit(payouts)
    await setPolicy(visit.host, { mode: 'off' })
    const browser = browserOf(visit.host)
    await passFirstStep(browser, ann).expect(302)
    expectProblem(await postJson(browser, '/payout'), 'fresh-code-required', 403, FRESH)
    await postJson(browser, FRESH, { code: visit.enrolment.code() }).expect(200)
    await postJson(browser, '/payout').expect(200)
  })
})

describe('a fresh code', () => {
  it('counts from the moment it was given, in this session alone', async () => {
    const { host, browser, enrolment } = await staleVisit()
    const other = browserOf(host)
    await passFirstStep(other, ann)
    await postJson(other, '/second-step/challenge', { code: enrolment.code() }).expect(200)
    expectProblem(await postJson(browser, '/payout'), 'fresh-code-required', 403, FRESH)
    host.system.advance(MINUTE)
    const given = await postJson(browser, FRESH, { code: enrolment.code() }).expect(200)
    const until = new Date(host.system.now() + 5 * MINUTE).toISOString()
    expect(given.body.until).to.equal(until)
    expect((await getJson(browser, FRESH)).body).to.deep.equal({ freshUntil: until })
  })

  it('keeps the session’s stamp, so that its log-out ends it', async () => {
    const { host, browser, enrolment } = await staleVisit()
    const idOf = () =>
      sessionsOf(host)
        .map(({ secondStep }) => secondStep?.verified?.id)
        .sort()
    const before = idOf()
    await postJson(browser, FRESH, { code: enrolment.code() }).expect(200)
    expect(idOf()).to.deep.equal(before)
  })

  it('gives the session a new id, so that the old id is not fresh', async () => {
    const host = makeHost(payouts)
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(200)
    const stolen = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
    const hosts = { cart: ['book'], admins: { user: 9 } }
    const originalMaxAge = 7 * DAY
    editSession(host, (session) => {
      Object.assign(session, hosts)
      session.cookie.originalMaxAge = originalMaxAge
    })
    host.system.advance(5 * MINUTE)

    const given = await postJson(browser, FRESH, { code: enrolment.code() }).expect(200)
    expect(cookieOf(given))
      .to.match(/^connect\.sid=/)
      .and.not.equal(stolen)
    await postJson(browser, '/payout').expect(200)
    await useCookie(browserOf(host), stolen).get('/inside').expect(401)
    const fresh = sessionsOf(host).find(({ secondStep }) => {
      return secondStep?.verified?.at === host.system.now()
    })
    expect(fresh, 'the host’s keys, another Passport instance’s among them').to.deep.include(hosts)
    // express-session counts it from its own clock, and may be a millisecond late.
    expect(fresh?.cookie.originalMaxAge).to.be.within(originalMaxAge - 50, originalMaxAge)
  })

  it('is not given by a wrong one, which leaves the session signed in', async () => {
    const { host, browser, enrolment } = await staleVisit()
    const wrong = { code: wrongCodeOf(host, enrolment) }
    expectProblem(await postJson(browser, FRESH, wrong), 'wrong-code', 401)
    const page = await postForm(browser, FRESH, wrong).expect(401)
    expect(page.text).to.include('That code didn’t work').and.to.include('name="code"')
    expect((await getJson(browser, FRESH)).body).to.deep.equal({ freshUntil: null })
    expectProblem(await postJson(browser, '/payout'), 'fresh-code-required', 403, FRESH)
    await browser.get('/inside').expect(200)
  })

  it('is shown to the host in req.secondStep', async () => {
    const { host, browser } = await signedInVisit({
      routes: ({ app }) => {
        app.get('/helper', (req, res) => res.json(req.secondStep))
      },
    })
    await browser.get('/helper').expect(200, {
      status: 'verified',
      method: 'totp',
      amr: ['otp', 'mfa'],
      authTime: new Date(host.system.now() - 0.5 * MINUTE).toISOString(),
      freshUntil: new Date(host.system.now() + 4.5 * MINUTE).toISOString(),
      next: null,
      setupDeadline: null,
    })
  })

  it('treats a page in a frame like a script, because a redirect would load in the frame', async () => {
    const { browser } = await staleVisit()
    const framed = browser.get('/payout').set({ Accept: HTML, 'Sec-Fetch-Dest': 'iframe' })
    await framed.expect(403)
    await browser.get('/payout').set('Accept', JSON_TYPE).expect(403)
  })
})
