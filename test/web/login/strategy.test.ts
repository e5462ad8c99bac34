import { expect } from 'chai'
import type { Request } from 'express'
import type { SecondStepFailure } from '../../../lib/index.js'
import { ADMIN, adminVisit } from '../../support/admin.js'
import { administeredVisit, oneTimeCodeFor } from '../../support/administration.js'
import { getJson, getPage, postForm, postJson } from '../../support/answers.js'
import {
  browserOf,
  enrol,
  giveCode,
  HTML,
  JSON_TYPE,
  passFirstStep,
} from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { ann, bob, type HostOptions, type HostUser } from '../../support/host.js'
import { cookieOf, useCookie } from '../../support/sessions.js'
import {
  missTimes,
  pendingBrowser,
  pendingVisit,
  recordOf,
  setPolicy,
  wrongCodeOf,
} from '../../support/visits.js'

/** A host that draws its own challenge page, with and without a callback. */
const ownPages: HostOptions = {
  routes: ({ app, passport, secondStep }) => {
    passport.use(secondStep.strategy())
    const successReturnToOrRedirect = '/home'
    app.post('/code', passport.authenticate('second-step', { successReturnToOrRedirect }))
    app.post(
      '/code/keep',
      passport.authenticate('second-step', { keepSessionInfo: true }),
      (req, res) => res.json({ user: (req.user as HostUser).id, status: req.secondStep?.status }),
    )
    app.post('/code/callback', (req, res, next) => {
      const answered = (error: unknown, user: HostUser | false, info: unknown, status: unknown) => {
        if (error) next(error)
        else if (user === false) res.status(Number(status)).json(info)
        else req.logIn(user, (failure) => (failure ? next(failure) : res.json({ user: user.id })))
      }
      passport.authenticate('second-step', answered)(req, res, next)
    })
    app.post('/code/twice', (req, res, next) => {
      const answered = (_error: unknown, user: HostUser | false) => {
        // A host's mistake: it signs in whom the body names.
        const named = req.body.as === 'bob' ? bob : user
        if (named === false) res.status(401).json({})
        else req.logIn(named, (failure) => (failure ? next(failure) : res.json({ user: named.id })))
      }
      passport.authenticate('second-step', answered)(req, res, next)
    })
    // As the README shows it.
    app.post('/code/next', (req, res, next) => {
      const successRedirect = req.secondStep?.next ?? '/home'
      passport.authenticate('second-step', { successRedirect })(req, res, next)
    })
    app.get('/return-to', (req, res) => {
      req.session.returnTo = '/wanted'
      res.json({})
    })
  },
}

const post = (browser: ReturnType<typeof browserOf>, path: string, code: unknown, more = {}) =>
  browser
    .post(path)
    .set('Accept', JSON_TYPE)
    .send({ code, ...more })

/** The host's pending visitor after the first step at its own login page. */
const visitAt = (options: HostOptions = {}) => pendingVisit({ ...ownPages, ...options })

describe('the strategy "second-step"', () => {
  it('signs in and redirects as any strategy does', async () => {
    const { browser, enrolment } = await visitAt()
    const answer = await browser.post('/code').set('Accept', HTML).send({ code: enrolment.code() })
    expect([answer.status, answer.headers.location]).to.deep.equal([302, '/home'])
    await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
  })

  it('can lead to the page that the user opened before the code', async () => {
    const { browser, enrolment } = await visitAt()
    await getPage(browser, '/inside?page=2').expect(303)
    const answer = await post(browser, '/code/next', enrolment.code()).expect(302)
    expect(answer.headers.location).to.equal('/inside?page=2')
  })

  it('lets a custom callback sign the user in', async () => {
    const { browser, enrolment } = await visitAt()
    await post(browser, '/code/callback', enrolment.code()).expect(200, { user: 'ann' })
    await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
  })

  it('takes a backup code too', async () => {
    const { browser, enrolment } = await visitAt()
    await post(browser, '/code/callback', enrolment.backupCodes[0]).expect(200, { user: 'ann' })
  })

  it('tells a callback what is wrong, and with which status', async () => {
    const visit = await visitAt()
    const { host, browser, enrolment } = visit
    const refusal = async (code: unknown, by = browser) => {
      const { status, body } = await post(by, '/code/callback', code)
      const { code: name, message, ...more } = body as SecondStepFailure
      expect(message).to.be.a('string').and.not.equal('')
      return [status, name, more]
    }
    expect(await refusal('what?')).to.deep.equal([400, 'malformed-request', { field: 'code' }])
    expect(await refusal(123456)).to.deep.equal([400, 'malformed-request', { field: 'code' }])
    expect(await refusal(undefined)).to.deep.equal([400, 'malformed-request', { field: 'code' }])
    for (const left of [
      { triesLeft: 4 },
      { triesLeft: 3 },
      { triesLeft: 2 },
      { triesLeft: 1 },
      {},
    ]) {
      expect(await refusal(wrongCodeOf(host, enrolment))).to.deep.equal([401, 'wrong-code', left])
    }
    expect(await refusal(enrolment.code())).to.deep.equal([401, 'sign-in-again', {}])
    const waiting = await pendingBrowser(host)
    const blockedUntil = new Date(host.system.now() + MINUTE).toISOString()
    const tooMany = [429, 'too-many-attempts', { retryAfter: 60, blockedUntil }]
    expect(await refusal(enrolment.code(), waiting)).to.deep.equal(tooMany)
    const header = await post(waiting, '/code', enrolment.code())
    expect(header.headers['retry-after']).to.equal('60')
    expect(await refusal('123456', browserOf(host))).to.deep.equal([401, 'not-signed-in', {}])
  })

  // The mistake: after the lock, 0 is said of every wrong backup code, and a client gives up those that still work.
  it('tells how many backup codes may be wrong while the devices are locked', async () => {
    const { host, browser: admin } = await adminVisit({}, ownPages)
    const enrolment = await enrol(host, ann)
    for (const nth of [1, 2, 3, 4]) {
      const fob = { type: 'hotp', secret: `${nth}`.repeat(40), serial: `A-${nth}` }
      await postJson(admin, `${ADMIN}/users/ann/token`, fob).expect(200)
    }
    const browser = await pendingBrowser(host)
    const locks = await post(browser, '/code/callback', wrongCodeOf(host, enrolment)).expect(401)
    expect(locks.body).to.include({ code: 'wrong-code', triesLeft: 0 })
    const wrong = '000000-000000-000000-000000'
    for (const triesLeft of [3, 2]) {
      const refused = await post(browser, '/code/callback', wrong).expect(401)
      expect(refused.body).to.include({ code: 'wrong-code', triesLeft })
    }
    const page = await postForm(browser, '/second-step/challenge', { code: wrong }).expect(401)
    expect(page.text).to.include('one try left before you have to sign in again')
    await post(browser, '/code/callback', enrolment.backupCodes[0]).expect(200, { user: 'ann' })
  })

  it('tells a signed-in visitor where to go, and an un-enrolled one to set up', async () => {
    const { host, browser, enrolment } = await visitAt()
    await giveCode(browser, enrolment.code()).expect(200)
    const again = await post(browser, '/code/callback', '123456').expect(409)
    expect(again.body).to.include({ code: 'already-signed-in', next: '/' })
    await setPolicy(host, { mode: 'required' })
    const other = browserOf(host)
    await passFirstStep(other, bob).expect(200)
    const setup = await post(other, '/code/callback', '123456').expect(403)
    expect(setup.body).to.include({ code: 'setup-required', next: '/second-step/setup' })
  })

  it('shares its budget with the router', async () => {
    // A second route must not give a second set of tries.
    const visit = await visitAt()
    await missTimes(3, visit)
    const wrong = wrongCodeOf(visit.host, visit.enrolment)
    for (let miss = 0; miss < 2; miss += 1) await post(visit.browser, '/code', wrong).expect(401)
    const over = await post(visit.browser, '/code/callback', visit.enrolment.code()).expect(401)
    expect(over.body.code).to.equal('sign-in-again')
    expect((await recordOf(visit.host)).attempts.misses).to.have.length(5)
  })

  it('refuses a code that the router has accepted, and the other way round', async () => {
    const { host, browser, enrolment } = await visitAt()
    const code = enrolment.code()
    await giveCode(browser, code).expect(200)
    const again = await pendingBrowser(host)
    await post(again, '/code', code).expect(401)
    host.system.advance(30_000)
    const next = enrolment.code()
    await post(again, '/code/callback', next).expect(200)
    const replay = await giveCode(await pendingBrowser(host), next).expect(401)
    expect(replay.body.code).to.equal('wrong-code')
    await getJson(again, '/inside').expect(200)
  })

  it('survives Object.create, by which Passport makes one for each request', async () => {
    const { host } = await visitAt()
    const strategy = Object.create(host.secondStep.strategy())
    const failed = await new Promise((resolve) => {
      strategy.fail = resolve
      strategy.error = resolve
      const req = { method: 'POST', get: () => 'x', acceptsLanguages: () => [] }
      strategy.authenticate(req as unknown as Request)
    })
    expect(failed).to.include({ code: 'cross-origin' })
  })

  it('takes a new session id, so that an id that somebody fixed is worth nothing', async () => {
    // Session fixation: the attacker knows the id that the victim's pending login has.
    const { host, enrolment } = await visitAt()
    const browser = browserOf(host)
    const fixed = cookieOf(await passFirstStep(browser, ann))
    const answer = await post(browser, '/code', enrolment.code()).expect(302)
    expect(cookieOf(answer)).to.not.equal(fixed)
    const thief = useCookie(browserOf(host), fixed)
    await getJson(thief, '/inside').expect(401, { user: null })
    await post(thief, '/code', enrolment.code()).expect(401)
  })

  it('keeps returnTo and the cookie’s maxAge through both steps', async () => {
    const maxAge = 7 * 24 * 3600 * 1000
    const { host, enrolment } = await visitAt({ cookie: { maxAge } })
    const browser = browserOf(host)
    await browser.get('/return-to').expect(200)
    await passFirstStep(browser, ann).expect(200)
    const answer = await post(browser, '/code', enrolment.code()).expect(302)
    expect(answer.headers.location).to.equal('/wanted')
    const expires = /Expires=([^;]+)/.exec(String(answer.headers['set-cookie']))?.[1] ?? ''
    expect(new Date(expires).getTime() - Date.now()).to.be.within(maxAge - 60_000, maxAge + 1000)
  })

  it('leaves no pending login behind, also with keepSessionInfo', async () => {
    const { browser, enrolment } = await visitAt()
    const answer = await post(browser, '/code/keep', enrolment.code()).expect(200)
    expect(answer.body).to.deep.equal({ user: 'ann', status: 'verified' })
    await getPage(browser, '/inside').expect(200)
    await getJson(browser, '/second-step/challenge').expect(409)
  })

  it('passes the second step of this user alone, whomever the host then signs in', async () => {
    // Ann's code must not open Bob's account, however the host mixes them up.
    const { host, browser, enrolment } = await visitAt()
    const ofBob = await enrol(host, bob)
    const answer = await post(browser, '/code/twice', enrolment.code(), { as: 'bob' }).expect(200)
    expect(answer.body).to.deep.equal({ status: 'code-required', next: '/second-step/challenge' })
    await getJson(browser, '/inside').expect(401, { user: null })
    host.system.advance(30_000)
    await giveCode(browser, enrolment.code()).expect(401)
    await giveCode(browser, ofBob.code()).expect(200)
    await browser.get('/inside').expect(200, { user: 'bob', status: 'verified' })
  })

  it('burns nothing where the host says that the user is gone', async () => {
    const users = [ann]
    const { host, browser, enrolment } = await visitAt({ users })
    users.pop()
    const before = await recordOf(host)
    const answer = await post(browser, '/code/callback', enrolment.code()).expect(401)
    expect(answer.body.code).to.equal('sign-in-again')
    expect(await recordOf(host)).to.deep.equal(before)
  })

  it('is an error, not a verdict, where the store fails', async () => {
    const { host, browser, enrolment } = await visitAt()
    host.store.write = () => Promise.reject(new Error('away'))
    await post(browser, '/code', enrolment.code()).expect(503)
    await post(browser, '/code/callback', enrolment.code()).expect(503)
    await getJson(browser, '/inside').expect(401, { user: null })
  })
})

describe('A one-time code given to the strategy', () => {
  // What only opens a set-up must not become a second step that the host signs in on.
  it('signs nobody in: it fails with the way to the set-up, and is used up', async () => {
    const visit = await administeredVisit(ownPages)
    const { host } = visit
    const code = await oneTimeCodeFor(visit)
    for (const path of ['/code/callback', '/code/twice', '/code']) {
      const browser = await pendingBrowser(host)
      const given = path === '/code/callback' ? code : await oneTimeCodeFor(visit)
      const answer = await post(browser, path, given)
      expect(answer.status).to.be.within(401, 403)
      expect((await getJson(browser, '/inside')).status).to.equal(401)
      await getJson(browser, '/second-step/setup').expect(200)
      if (path !== '/code/callback') continue
      const { code: why, next } = answer.body as SecondStepFailure
      expect([answer.status, why, next]).to.deep.equal([
        403,
        'setup-required',
        '/second-step/setup',
      ])
    }
    const again = await post(await pendingBrowser(host), '/code/callback', code)
    expect([again.status, again.body.code]).to.deep.equal([401, 'wrong-code'])
  })
})
