// The attack of promise 7: a part of the host's is slow. The login answers 503, and what comes later, on a
// request that was answered and has no session any more, ends the process or signs the user in after all.

import { EventEmitter, once } from 'node:events'
import { expect } from 'chai'
import { Passport } from 'passport'
import {
  type Browser,
  browserOf,
  browserWithCookie,
  enrol,
  giveCode,
  passFirstStep,
} from '../../support/browser.js'
import { ann, bob, makeHost } from '../../support/host.js'
import { endings } from '../../support/process-endings.js'
import { sessionsOf } from '../../support/sessions.js'
import { SlowHost } from '../../support/slow-host.js'

/** In how many stored sessions this user is signed in. */
const sessionsWith = ({ host }: SlowHost, user: string): number =>
  sessionsOf(host).filter((session) => session.passport?.user === user).length

type Part = NonNullable<SlowHost['slow']>
type Login = (browser: Browser, world: SlowHost) => Promise<{ status: number }>

const firstStep: Login = (browser) => passFirstStep(browser, bob).then((answer) => answer)
const form: Login = (browser) =>
  browser
    .post('/login')
    .type('form')
    .send({ username: 'bob', password: bob.password })
    .then((answer) => answer)

describe('a login that was answered with 503', () => {
  const parts: readonly Part[] = ['serializeUser', 'destroy', 'set']
  for (const part of parts) {
    for (const [name, login] of Object.entries({ JSON: firstStep, 'a form': form })) {
      it(`stays refused when ${part} answers late (${name})`, async () => {
        const world = new SlowHost()
        const browser = browserWithCookie(world.host)
        const ended = await endings(async () => {
          world.slow = part
          const answer = await login(browser, world)
          expect(answer.status).to.equal(503)
          await world.comeLate()
        })
        expect(ended).to.deep.equal([])
        // What the store has kept too late, no browser knows the id of.
        if (part !== 'set') expect(sessionsWith(world, 'bob')).to.equal(0)
        await browser.get('/inside').expect(401, { user: null })
      })
    }
  }

  for (const part of ['serializeUser', 'deserializeUser', 'destroy', 'set'] as const) {
    it(`stays refused when ${part} answers late at the end of the second step`, async () => {
      const world = new SlowHost()
      const enrolment = await enrol(world.host, ann)
      const browser = browserOf(world.host)
      await passFirstStep(browser, ann).expect(200)
      const ended = await endings(async () => {
        world.slow = part
        await giveCode(browser, enrolment.code()).expect(503)
        await world.comeLate()
      })
      expect(ended).to.deep.equal([])
      await browser.get('/inside').expect(401, { user: null })
    })
  }

  it('stays refused when serializeUser answers late at the gate', async () => {
    const world = new SlowHost()
    await enrol(world.host, ann)
    const before = sessionsWith(world, 'ann')
    const browser = browserOf(world.host)
    const ended = await endings(async () => {
      world.slow = 'serializeUser'
      await passFirstStep(browser, ann).expect(503)
      await world.comeLate()
    })
    expect(ended).to.deep.equal([])
    expect(sessionsWith(world, 'ann')).to.equal(before)
  })
})

describe('a log-out that was answered with 503', () => {
  for (const part of ['set', 'destroy'] as const) {
    it(`ends no process when ${part} answers late`, async () => {
      const world = new SlowHost()
      const browser = browserOf(world.host)
      await passFirstStep(browser, bob)
      const ended = await endings(async () => {
        world.slow = part
        await browser.post('/logout').expect(503)
        await world.comeLate()
      })
      expect(ended).to.deep.equal([])
    })
  }
})

describe('an error of the host’s serialiser', () => {
  it('is the host’s own, and nobody is in', async () => {
    const passport = new Passport()
    passport.serializeUser(() => {
      throw new TypeError('the host’s own')
    })
    const host = makeHost({ passport })
    host.app.set('env', 'test')
    const { text } = await passFirstStep(browserOf(host), bob).expect(500)
    expect(text).to.include('the host’s own')
  })
})

describe('two calls of req.logIn() at once', () => {
  it('are told in the callback of the second, which ends no process', async () => {
    const told: string[] = []
    const [second, answer] = [new EventEmitter(), 'told']
    const host = makeHost({
      routes: ({ app }) => {
        app.post('/twice', (req, res) => {
          req.logIn(bob, () => res.json({ in: true }))
          const callback = (error: Error) => {
            told.push(error?.message)
            second.emit(answer)
          }
          // In a callback of a database's, say, where nobody catches.
          setImmediate(() => req.logIn(bob, callback))
        })
      },
    })
    const find = host.store.find
    host.store.find = async (id) => {
      if (told.length === 0) await once(second, answer)
      return find(id)
    }
    const browser = browserOf(host)
    const ended = await endings(async () => {
      await browser.post('/twice').expect(200, { in: true })
    })
    expect(ended).to.deep.equal([])
    expect(told).to.have.length(1)
    expect(told[0]).to.include('req.logIn() was called again')
    await browser.get('/inside').expect(200, { user: 'bob', status: 'none' })
  })
})
