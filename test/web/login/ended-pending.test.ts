// The attack: a pending login is over, by a log-out, by /cancel or because another login took its place.
// A request that was held back writes back what the session was before: the pending login, or the session
// whose place it took. That must be dead; whoever has its cookie could set up a phone of their own.

import { expect } from 'chai'
import express from 'express'
import { expectProblem, getJson, postJson } from '../../support/answers.js'
import { browserOf, giveCode, passFirstStep } from '../../support/browser.js'
import { DAY, MINUTE } from '../../support/clock.js'
import { ann, bob, type Host, makeHost } from '../../support/host.js'
import { park } from '../../support/parked.js'
import { cookieOf, slowRequest, useCookie } from '../../support/sessions.js'
import { enrolledVisit, missTimes, recordOf, setPolicy } from '../../support/visits.js'

/** The login waits for a code until an admin pauses the second step. */
async function pause(host: Host): Promise<void> {
  const record = await recordOf(host)
  const pausedUntil = host.system.now() + DAY
  const paused = { ...record, pausedUntil, version: record.version + 1, writeId: 'paused' }
  expect(await host.store.write(paused, record.version)).to.equal(true)
}

describe('a session whose place a pending login took', () => {
  for (const [way, minutes] of [
    ['/logout', 0],
    ['/second-step/cancel', 0],
    ['/logout', 11],
    ['/second-step/cancel', 11],
    ['/destroy', 0],
    ['/destroy', 11],
  ] as const) {
    it(`is dead after ${way}, ${minutes} minutes later`, async () => {
      const host = makeHost({
        mount: ({ app }) => {
          app.post('/destroy', (req, res) => void req.session.destroy(() => res.json({})))
          app.post('/profile', express.json(), (req, res) => {
            Reflect.set(req.session, 'touched', true)
            res.json({})
          })
        },
      })
      const cookie = cookieOf(await passFirstStep(browserOf(host), bob))
      const parked = await park(host, '/profile', { cookie, like: { a: 1 } })
      await setPolicy(host, { mode: 'required', graceDays: 0 })
      await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401)
      host.system.advance(minutes * MINUTE)
      await postJson(useCookie(browserOf(host), cookie), way).expect(200)
      await parked.finish({ a: 1 })
      const thief = useCookie(browserOf(host), cookie)
      expectProblem(await getJson(thief, '/second-step/setup'), 'not-signed-in', 401)
    })
  }

  it('is dead where the wrong codes of the pending login are used up', async () => {
    const { host, enrolment } = await enrolledVisit()
    await pause(host)
    const cookie = cookieOf(await passFirstStep(browserOf(host), ann).expect(302))
    const slow = slowRequest(host, cookie)
    const record = await recordOf(host)
    const resumed = { ...record, pausedUntil: null, version: record.version + 1, writeId: 'on' }
    expect(await host.store.write(resumed, record.version)).to.equal(true)
    const browser = useCookie(browserOf(host), cookie)
    await getJson(browser, '/second-step/challenge').expect(200)
    await missTimes(5, { host, browser, enrolment })
    slow.writeBack()
    const thief = useCookie(browserOf(host), cookie)
    expectProblem(await getJson(thief, '/second-step/challenge'), 'not-signed-in', 401)
  })
})

describe('a pending login that needs no code any more, written back', () => {
  for (const way of ['/logout', '/second-step/cancel']) {
    it(`signs nobody in after ${way}`, async () => {
      const { host } = await enrolledVisit()
      const cookie = cookieOf(await passFirstStep(browserOf(host), ann).expect(200))
      const slow = slowRequest(host, cookie)
      await pause(host)
      await postJson(useCookie(browserOf(host), cookie), way).expect(200)
      slow.writeBack()
      await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401)
    })
  }

  it('signs nobody in a second time', async () => {
    const { host } = await enrolledVisit()
    const cookie = cookieOf(await passFirstStep(browserOf(host), ann).expect(200))
    const slow = slowRequest(host, cookie)
    await pause(host)
    const free = await getJson(useCookie(browserOf(host), cookie), '/inside').expect(200)
    const browser = useCookie(browserOf(host), cookieOf(free))
    await getJson(browser, '/inside').expect(200)
    await postJson(browser, '/logout').expect(200)
    slow.writeBack()
    await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401)
  })
})

describe('a pending login that has signed its user in, written back', () => {
  it('takes no other code, and signs nobody in under a pause', async () => {
    const { host, enrolment } = await enrolledVisit()
    const cookie = cookieOf(await passFirstStep(browserOf(host), ann).expect(200))
    const slow = slowRequest(host, cookie)
    await giveCode(useCookie(browserOf(host), cookie), enrolment.code()).expect(200)
    host.system.advance(MINUTE)
    slow.writeBack()
    const thief = useCookie(browserOf(host), cookie)
    expectProblem(await giveCode(thief, enrolment.code()), 'sign-in-again', 401)
    await pause(host)
    slow.writeBack()
    await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401)
  })
})

describe('a pending login whose place another one took, written back', () => {
  it('is over', async () => {
    const host = makeHost()
    await setPolicy(host, { mode: 'required', graceDays: 0 })
    const first = cookieOf(await passFirstStep(browserOf(host), bob).expect(200))
    const slow = slowRequest(host, first)
    const again = await passFirstStep(useCookie(browserOf(host), first), bob).expect(200)
    const second = useCookie(browserOf(host), cookieOf(again))
    await getJson(second, '/second-step/setup').expect(200)
    await postJson(second, '/second-step/cancel').expect(200)
    slow.writeBack()
    const thief = useCookie(browserOf(host), first)
    expectProblem(await getJson(thief, '/second-step/setup'), 'sign-in-again', 401)
  })

  for (const mode of ['required', 'off'] as const) {
    it(`is over where middleware in front of the guard has signed in somebody else: ${mode}`, async () => {
      const host = makeHost({
        beforeGuard: ({ app }) =>
          void app.use((req, _res, next) => {
            if (req.get('x-remembered') === undefined) next()
            else req.logIn(ann, next)
          }),
      })
      await setPolicy(host, { mode: 'required', graceDays: 0 })
      const cookie = cookieOf(await passFirstStep(browserOf(host), bob).expect(200))
      const slow = slowRequest(host, cookie)
      await setPolicy(host, { mode, graceDays: 0 })
      const browser = useCookie(browserOf(host), cookie)
      await getJson(browser, '/inside').set('X-Remembered', 'ann')
      await setPolicy(host, { mode: 'required', graceDays: 0 })
      slow.writeBack()
      const thief = useCookie(browserOf(host), cookie)
      expectProblem(await getJson(thief, '/second-step/setup'), 'sign-in-again', 401)
    })
  }
})
