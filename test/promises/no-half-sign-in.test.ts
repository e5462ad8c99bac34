// Somebody who has a user's password, and no second factor, tries to be taken for that user: by any
// way in, at any route, in any state of a session that they can cause.

import { expect } from 'chai'
import fc from 'fast-check'
import { ADMIN } from '../support/admin.js'
import {
  type Browser,
  browserOf,
  enrol,
  giveCode,
  HTML,
  JSON_TYPE,
  passFirstStep,
} from '../support/browser.js'
import { MINUTE } from '../support/clock.js'
import { ann, bob, type Host, makeHost } from '../support/host.js'
import { setPolicy } from '../support/visits.js'

/** What somebody with the password alone can do. Each answers nothing: only being in would count. */
const moves: Record<string, (browser: Browser, host: Host) => Promise<unknown>> = {
  'sign in': (browser) => passFirstStep(browser, ann),
  'sign in, keeping the session': (browser) =>
    browser.post('/login/keep').send({ username: 'ann', password: ann.password }),
  'sign in by API': (browser) =>
    browser.post('/api/login').send({ username: 'ann', password: ann.password }),
  'sign in as another user': (browser) => passFirstStep(browser, bob),
  'guess a code': (browser) => giveCode(browser, '000000'),
  'guess a backup code': (browser) => giveCode(browser, '0'.repeat(24)),
  'send an empty code': (browser) => giveCode(browser, ''),
  'claim to be verified': (browser) =>
    browser.post('/second-step/challenge').send({ verified: true, status: 'signed-in' }),
  'open the set-up': (browser) => browser.get('/second-step/setup').set('Accept', JSON_TYPE),
  'confirm a set-up': (browser) => browser.post('/second-step/setup').send({ code: '000000' }),
  'ask for freshness': (browser) => browser.post('/second-step/fresh').send({ code: '000000' }),
  cancel: (browser) => browser.post('/second-step/cancel'),
  'list the users': (browser) => browser.get(`${ADMIN}/users`).set('Accept', HTML),
  'lift the second step as an admin': (browser) =>
    browser.post(`${ADMIN}/users/ann/disable`).send({ reason: 'I am Ann' }),
  'make a code as an admin': (browser) => browser.post(`${ADMIN}/users/ann/one-time-code`).send({}),
  'switch the policy off as an admin': (browser) =>
    browser.put(`${ADMIN}/policy`).send({ mode: 'off', roles: {} }),
  'sign out': (browser) => browser.post('/logout'),
  'open a page': (browser) => browser.get('/inside').set('Accept', HTML),
  'wait a while': async (_browser, host) => host.system.advance(6 * MINUTE),
}

/** Everybody is an admin, as far as this host is concerned. */
function hostWithManyWaysIn(): Host {
  const people = [ann, bob]
  return makeHost({
    options: { users: { findById: async (id) => people.find((one) => one.id === id) ?? null } },
    mount: ({ app, secondStep }) => void app.use(ADMIN, secondStep.adminRouter()),
    routes: ({ app, passport }) => {
      const keep = passport.authenticate('local', { keepSessionInfo: true })
      app.post('/login/keep', keep, (_req, res) => res.json({}))
      app.post('/api/login', passport.authenticate('local', { session: false }), (req, res) => {
        res.json({ token: req.user })
      })
      app.get('/again', passport.session(), (req, res) => res.json({ user: req.user ?? null }))
    },
  })
}

describe('promise 1: no half sign-in', () => {
  it('holds against any sequence of what the password alone allows', async function () {
    this.timeout(90_000)
    const sequence = fc.array(fc.constantFrom(...Object.keys(moves)), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(sequence, async (names) => {
        const host = hostWithManyWaysIn()
        await enrol(host, ann)
        const browser = browserOf(host)
        for (const name of names) {
          const answer = await moves[name]?.(browser, host)
          expect(JSON.stringify(Reflect.get(Object(answer), 'body') ?? {})).to.not.include('"ann"')
          for (const path of ['/inside', '/again']) {
            const seen = await browser.get(path).set('Accept', JSON_TYPE)
            expect([null, 'bob'], `${names} at ${path}`).to.include(idOf(seen.body.user))
          }
        }
      }),
      { numRuns: 40 },
    )
  })

  it('holds in an ended session, which does not count as a first step either', async () => {
    const host = makeHost()
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await giveCode(browser, enrolment.code()).expect(200)
    await host.secondStep.endSessions('ann')
    host.system.advance(MINUTE)
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(401)
    const answer = await giveCode(browser, enrolment.code()).expect(401)
    expect(answer.body.code).to.equal('not-signed-in')
  })

  it('holds where the policy changes while somebody is between the steps', async () => {
    const host = makeHost()
    await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    for (const mode of ['required', 'optional'] as const) {
      await setPolicy(host, { mode })
      await browser.get('/inside').set('Accept', JSON_TYPE).expect(401)
    }
    // An admin's decision frees whoever waits, and whoever is freed is asked when it is taken back.
    await setPolicy(host, { mode: 'off' })
    await browser.get('/inside').expect(200, { user: 'ann', status: 'none' })
    await setPolicy(host, { mode: 'optional' })
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(401)
  })

  it('holds for a set-up: a half login neither sees the live secret nor replaces it', async () => {
    // FileRise CVE-2026-44460, better-auth #10923.
    const host = makeHost()
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    const seen = await browser.get('/second-step/setup').set('Accept', JSON_TYPE).expect(401)
    expect(seen.text).to.not.include(enrolment.secret)
    await browser
      .post('/second-step/setup')
      .send({ code: enrolment.code(), secret: 'JBSWY3DPEHPK3PXP' })
      .expect(401)
    await giveCode(browser, enrolment.code()).expect(200)
  })
})

function idOf(user: unknown): unknown {
  return typeof user === 'object' && user !== null ? Reflect.get(user, 'id') : user
}
