// The attack: a session was ended elsewhere, and the host's deserialiser calls back twice, first without a user (out of
// a cache, say) and then with one. The first answer lets the request go on, and the second puts the user on it, behind
// the guard. And the mistake: a deserialiser that is silent keeps every request waiting for ever.

import { expect } from 'chai'
import type { Request } from 'express'
import { Passport } from 'passport'
import { expectProblem, getJson } from '../../support/answers.js'
import { browserOf, enrol, signIn } from '../../support/browser.js'
import { ann, type HostUser, makeHost } from '../../support/host.js'
import { SlowHost } from '../../support/slow-host.js'
import { signedInVisit } from '../../support/visits.js'

type Done = (error: unknown, user?: unknown) => void

/** A host whose deserialiser answers, and whose route lets it answer again. */
function answeringTwice(first: (done: Done) => void) {
  const passport = new Passport()
  let odd = false
  let again = () => {}
  passport.serializeUser((user, done) => done(null, (user as HostUser).id))
  passport.deserializeUser((_id: unknown, done: Done) => {
    again = () => done(null, ann)
    if (odd) first(done)
    else done(null, ann)
  })
  const seen: unknown[] = []
  const host = makeHost({
    passport,
    mountFirst: ({ app }) => {
      app.get('/transfer', async (req, res) => {
        again()
        seen.push(req.isAuthenticated())
        await new Promise((resolve) => setImmediate(resolve))
        seen.push(req.isAuthenticated())
        if (!res.headersSent) res.json({})
      })
    },
  })
  return {
    host,
    seen,
    beOdd: () => {
      odd = true
    },
  }
}

describe('a deserialiser that calls back twice', () => {
  const ways: Readonly<Record<string, (done: Done) => void>> = {
    'without a user first': (done) => done(null, false),
    'without a user first, later': (done) => void setImmediate(() => done(null, false)),
    'without a user, and at once with one': (done) => {
      done(null, false)
      done(null, ann)
    },
    'with the user first': (done) => done(null, ann),
  }
  for (const [way, first] of Object.entries(ways)) {
    it(`lets nobody in whose session was ended: ${way}`, async () => {
      const { host, seen, beOdd } = answeringTwice(first)
      const enrolment = await enrol(host, ann)
      const browser = browserOf(host)
      await signIn(browser, ann, enrolment)
      await host.secondStep.endSessions('ann')
      beOdd()
      await getJson(browser, '/transfer').expect(200)
      expect(seen).to.deep.equal([false, false])
    })
  }

  it('goes by the first answer, which stays', async () => {
    const { host, seen, beOdd } = answeringTwice((done) => {
      done(null, ann)
      done(null, false)
    })
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await signIn(browser, ann, enrolment)
    beOdd()
    await getJson(browser, '/transfer').expect(200)
    await getJson(browser, '/transfer').expect(200)
    expect(seen).to.deep.equal([true, true, true, true])
  })
})

describe('a deserialiser that is silent', () => {
  it('is a 503 in time, and its late answer puts nobody on the request', async () => {
    const requests: Request[] = []
    const slow = new SlowHost({
      initialize: (req, _res, next) => {
        requests.push(req)
        next()
      },
    })
    const { host } = slow
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await signIn(browser, ann, enrolment)
    slow.slow = 'deserializeUser'
    expectProblem(await getJson(browser, '/inside'), 'unavailable', 503)
    await slow.comeLate()
    expect(requests.at(-1)?.user ?? null).to.equal(null)
    await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
  })
})

describe('a deserialiser that fails', () => {
  it('is the host’s own error, at once or later', async () => {
    for (const later of [false, true]) {
      let broken = false
      const passport = new Passport()
      passport.serializeUser((user, done) => done(null, (user as HostUser).id))
      passport.deserializeUser((_id: unknown, done: Done) => {
        const answer = () => (broken ? done(new TypeError('the host’s own')) : done(null, ann))
        if (later) setImmediate(answer)
        else answer()
      })
      const { host, browser } = await signedInVisit({ passport })
      host.app.set('env', 'test')
      broken = true
      const { text } = await getJson(browser, '/inside').expect(500)
      expect(text).to.include('the host’s own')
    }
  })
})
