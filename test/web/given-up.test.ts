// The attack of promise 7: a part of the host's is slow. The login answers 503, and what comes later, on a
// request that was answered and has no session any more, ends the process or signs the user in after all.

import { expect } from 'chai'
import { Passport } from 'passport'
import { type Browser, browserOf, enrol, giveCode, passFirstStep } from '../support/browser.js'
import { ann, bob, type Host, type HostUser, makeHost } from '../support/host.js'
import { sessionsOf } from '../support/sessions.js'

type Later = () => void

/** A host whose serialisers and session store answer when the test says so. */
class SlowHost {
  readonly host: Host
  readonly #waiting: Later[] = []
  slow: 'serializeUser' | 'deserializeUser' | 'destroy' | 'set' | null = null

  constructor() {
    const users: readonly HostUser[] = [ann, bob]
    const passport = new Passport()
    const find = (id: unknown) => users.find((user) => user.id === id) ?? false
    passport.serializeUser((user, done) =>
      this.#when('serializeUser', () => done(null, (user as HostUser).id)),
    )
    passport.deserializeUser((id, done) =>
      this.#when('deserializeUser', () => done(null, find(id))),
    )
    // The first that is registered answers: in front of the host's own.
    this.host = makeHost({ passport })
    for (const call of ['destroy', 'set'] as const) {
      const now = this.host.sessions[call].bind(this.host.sessions) as (...args: unknown[]) => void
      Reflect.set(this.host.sessions, call, (...args: unknown[]) =>
        this.#when(call, () => now(...args)),
      )
    }
  }

  #when(call: string, answer: Later): void {
    if (this.slow === call) this.#waiting.push(answer)
    else answer()
  }

  /** Everything that was waited for comes now, in vain. */
  async comeLate(): Promise<void> {
    this.slow = null
    for (const answer of this.#waiting.splice(0)) answer()
    // What is written goes through the store's own next tick.
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }
}

const ENDINGS = ['uncaughtException', 'unhandledRejection'] as const

/** What would end the process while something runs. */
async function endings(run: () => Promise<void>): Promise<readonly unknown[]> {
  const seen: unknown[] = []
  const listen = (error: unknown) => void seen.push(error)
  const before = ENDINGS.map((event) => process.listeners(event as 'uncaughtException'))
  for (const event of ENDINGS) {
    process.removeAllListeners(event)
    process.on(event as 'uncaughtException', listen)
  }
  try {
    await run()
  } finally {
    for (const [index, event] of ENDINGS.entries()) {
      process.removeAllListeners(event)
      for (const other of before[index] ?? []) process.on(event as 'uncaughtException', other)
    }
  }
  return seen
}

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
        const browser = browserOf(world.host)
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
  it('are told, and not taken for an unknown Passport instance', async () => {
    const host = makeHost({
      routes: ({ app }) => {
        app.set('env', 'test')
        app.post('/twice', (req, res, next) => {
          req.logIn(bob as never, () => res.json({ in: true }))
          try {
            req.logIn(bob as never, () => undefined)
          } catch (error) {
            next(error)
          }
        })
      },
    })
    const { text } = await browserOf(host).post('/twice').expect(500)
    expect(text).to.include('req.logIn() was called again')
  })
})
