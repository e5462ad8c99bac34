import { expect } from 'chai'
import { Passport } from 'passport'
import { defaultPolicy, type PolicyMode } from '../../../lib/domain/policy.js'
import type { SecondStepSession } from '../../../lib/web/request/session.js'
import {
  browserOf,
  enrol,
  giveCode,
  HTML,
  JSON_TYPE,
  passFirstStep,
  signIn,
} from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { ann, bob, type Host, makeHost } from '../../support/host.js'
import { cookieOf, editSession, sessionsOf, useCookie } from '../../support/sessions.js'

async function setPolicy({ store }: Host, mode: PolicyMode): Promise<void> {
  const version = (await store.findPolicy())?.version ?? 0
  const policy = { ...defaultPolicy, version: version + 1, writeId: `w${version}`, mode }
  expect(await store.writePolicy(policy, version)).to.equal(true)
}

describe('the guard, on every request', () => {
  it('lets a session through whose stamp satisfies record and policy', async () => {
    const host = makeHost()
    const browser = browserOf(host)
    await signIn(browser, ann, await enrol(host, ann))
    await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
  })

  it('lets a session through that is older than the package', async () => {
    const host = makeHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(302)
    editSession(host, (session) => {
      delete session.secondStep
    })
    await browser.get('/inside').expect(200, { user: 'ann', status: 'none' })
  })

  it('destroys a session without a stamp once its user has set a second step up', async () => {
    const host = makeHost()
    const old = browserOf(host)
    await passFirstStep(old, ann)
    editSession(host, (session) => {
      delete session.secondStep
    })
    await enrol(host, ann)
    await old.get('/inside').expect(401, { user: null })
    await giveCode(old, '123456').expect(401)
    const users = sessionsOf(host).filter(({ secondStep }) => secondStep?.verified === undefined)
    expect(users.map(({ passport }) => passport)).to.deep.equal([undefined])
  })

  it('ends the other sessions of a user who sets a second step up', async () => {
    const host = makeHost()
    const other = browserOf(host)
    await passFirstStep(other, ann)
    await other.get('/inside').expect(200)
    await enrol(host, ann)
    const answer = await other.get('/second-step/challenge').set('Accept', JSON_TYPE).expect(401)
    expect(answer.body.code, 'a revoked session is no first step').to.equal('not-signed-in')
    await other.get('/inside').expect(401, { user: null })
  })

  it('destroys a session whose stamp is another user’s', async () => {
    const host = makeHost()
    const [ofAnn, ofBob] = [await enrol(host, ann), await enrol(host, bob)]
    const browser = browserOf(host)
    await signIn(browser, bob, ofBob)
    // What a host's own code can do that bypasses logIn.
    editSession(host, (session) => {
      if (session.passport?.user === 'bob') session.passport = { user: 'ann' }
    })
    await browser.get('/inside').expect(401, { user: null })
    await giveCode(browser, ofAnn.code()).expect(401)
  })

  it('ends every session of a user when the host asks for it', async () => {
    const host = makeHost()
    const enrolment = await enrol(host, ann)
    const [full, half] = [browserOf(host), browserOf(host)]
    await signIn(full, ann, enrolment)
    await passFirstStep(half, ann)
    await host.secondStep.endSessions('ann')
    host.system.advance(30_000)
    await full.get('/inside').expect(401, { user: null })
    const answer = await giveCode(half, enrolment.code()).expect(401)
    expect(answer.body.code).to.equal('sign-in-again')
  })

  it('asks a session for a code, in place, that no longer satisfies the policy', async () => {
    const host = makeHost()
    const enrolment = await enrol(host, ann)
    await setPolicy(host, 'off')
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(302)
    await browser.get('/inside').expect(200, { user: 'ann', status: 'none' })
    await setPolicy(host, 'optional')
    await browser.get('/inside?page=2').set('Accept', HTML).expect(303)
    const answer = await giveCode(browser, enrolment.code()).expect(200)
    expect(answer.body.next).to.equal('/inside?page=2')
    await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
  })

  it('leads a live session to the set-up when the policy begins to require one', async () => {
    const host = makeHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await setPolicy(host, 'required')
    await browser
      .get('/inside')
      .set('Accept', HTML)
      .expect(303)
      .expect('Location', '/second-step/setup')
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(401, { user: null })
    await setPolicy(host, 'optional')
    await browser.get('/inside').expect(200, { user: 'ann', status: 'none' })
  })

  it('removes a user who stands beside a pending login, from the session too', async () => {
    // A login that went past logIn, in a session that has passed the first step as somebody.
    const host = makeHost({
      routes: ({ app, passport }) => {
        app.get('/again', passport.session(), (req, res) => res.json({ user: req.user ?? null }))
      },
    })
    await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    editSession(host, (session) => {
      if (session.secondStep?.pending !== undefined) session.passport = { user: 'ann' }
    })
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(401, { user: null })
    await browser.get('/again').set('Accept', JSON_TYPE).expect(200, { user: null })
  })

  it('removes the user from the session’s keys of all Passport instances', async () => {
    // A session() of the second instance, on another router, would sign the user in again.
    const [passport, staff] = [new Passport(), new Passport()]
    Reflect.set(staff, '_key', 'staff')
    const host = makeHost({ passport, passports: [passport, staff] })
    await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    editSession(host, (session) => {
      if (session.secondStep?.pending !== undefined) Reflect.set(session, 'staff', { user: 'ann' })
    })
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(401, { user: null })
    for (const session of sessionsOf(host)) expect(session).to.not.have.property('staff')
  })

  it('leaves nothing in the session that a second passport.session() could sign in with', async () => {
    const host = makeHost({
      routes: ({ app, passport }) => {
        app.get('/api/me', passport.session(), (req, res) => res.json({ user: req.user ?? null }))
      },
    })
    await enrol(host, ann)
    await setPolicy(host, 'off')
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await setPolicy(host, 'optional')
    await browser.get('/api/me').set('Accept', JSON_TYPE).expect(200, { user: null })
    await browser.get('/api/me').set('Accept', JSON_TYPE).expect(200, { user: null })
  })

  it('takes a pending login that it cannot read for one that is over', async () => {
    const host = makeHost()
    await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    editSession(host, (session) => {
      if (session.secondStep?.pending === undefined) return
      session.secondStep = { pending: { id: 7 } } as unknown as SecondStepSession
      session.passport = { user: 'ann' }
    })
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(401, { user: null })
    const answer = await giveCode(browser, '123456').expect(401)
    expect(answer.body.code).to.equal('sign-in-again')
  })

  it('never makes a user of a pending login that has expired', async () => {
    const host = makeHost()
    await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    host.system.advance(10 * MINUTE)
    await browser.get('/inside').set('Accept', HTML).expect(401, { user: null })
  })

  it('keeps the stamp and its time when a verified user is logged in again', async () => {
    const host = makeHost({
      routes: ({ app }) => {
        app.post('/profile', (req, res, next) => {
          req.login({ ...ann, name: 'Anna' }, (error) => (error ? next(error) : res.json({})))
        })
      },
    })
    const browser = browserOf(host)
    await signIn(browser, ann, await enrol(host, ann))
    const before = stampIn(host)
    host.system.advance(MINUTE)
    await browser.post('/profile').expect(200)
    expect(stampIn(host)).to.deep.equal(before)
    await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
  })

  it('is in two tabs the same pending login, and the last first step counts', async () => {
    const host = makeHost()
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await passFirstStep(browser, ann)
    await giveCode(browser, enrolment.code()).expect(200)
    const late = await giveCode(browser, enrolment.code()).expect(409)
    expect(late.body).to.include({ code: 'already-signed-in', next: '/' })
  })

  it('asks who holds an old pending session, stolen before the login, for the code', async () => {
    const host = makeHost()
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    const login = await passFirstStep(browser, ann)
    const stolen = cookieOf(login)
    await giveCode(browser, enrolment.code()).expect(200)
    const thief = useCookie(browserOf(host), stolen)
    await thief.get('/inside').set('Accept', JSON_TYPE).expect(401, { user: null })
    await thief.get('/second-step/challenge').set('Accept', JSON_TYPE).expect(401)
  })
})

function stampIn(host: Host) {
  return sessionsOf(host)
    .map((session) => session.secondStep?.verified)
    .filter((stamp) => stamp?.method === 'totp')
}
