// The attack: the host answers a failed login itself, in its callback or its error handler, so that the
// session is not taken away by errorHandler(). What the session store then does late, or what the response
// saves at its end, signs in whoever was refused, or leaves a session that nobody can open any more.

import { expect } from 'chai'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { getJson, postJson } from '../../support/answers.js'
import {
  type Browser,
  browserOf,
  browserWithCookie,
  enrol,
  giveCode,
  passFirstStep,
} from '../../support/browser.js'
import { ann, bob, type HostOptions, type HostParts, type HostUser } from '../../support/host.js'
import { endings } from '../../support/process-endings.js'
import { sessionsOf } from '../../support/sessions.js'
import { SlowHost } from '../../support/slow-host.js'

const refuse: ErrorRequestHandler = (_error, _req, res, _next) => {
  res.status(500).json({ said: 'the host’s own answer' })
}

/** A host that answers every failure itself, in a callback or at the end of its chain. */
function answersItself(more: (parts: HostParts) => void = () => undefined): HostOptions {
  const callback: RequestHandler = (req, res) => {
    const user = req.body.username === 'ann' ? ann : bob
    req.logIn(user, (error) => {
      if (error) res.status(500).json({ said: 'the host’s own answer' })
      else res.json({ user: (req.user as HostUser).id })
    })
  }
  return {
    routes: (parts) => {
      parts.app.get('/basket', (req, res) => {
        Reflect.set(req.session, 'basket', ['book'])
        res.json({})
      })
      parts.app.get('/basket/shown', (req, res) => {
        res.json(Reflect.get(req.session, 'basket') ?? null)
      })
      parts.app.post('/login/callback', callback)
      parts.app.post('/logout/careless', (req, res) => req.logout(() => res.json({ out: true })))
      more(parts)
      parts.app.use(refuse)
    },
  }
}

/** Milliseconds in which a refusal is due (promise 7). */
const IN_TIME = 2000

type Login = (browser: Browser) => PromiseLike<{ status: number; headers: object }>

const logins: Readonly<Record<string, Login>> = {
  'a strategy’s route': (browser) => passFirstStep(browser, bob),
  'a callback': (browser) => postJson(browser, '/login/callback', { username: 'bob' }),
}

describe('a login whose failure the host answers itself', () => {
  for (const [name, login] of Object.entries(logins)) {
    it(`signs nobody in when the store writes the new session late: ${name}`, async () => {
      const world = new SlowHost(answersItself())
      const browser = browserOf(world.host)
      const ended = await endings(async () => {
        world.slowOnce = 'set'
        const answer = await login(browser)
        expect(answer.status).to.equal(500)
        expect(answer.headers).to.not.have.property('set-cookie')
        await world.comeLate()
      })
      expect(ended).to.deep.equal([])
      await browser.get('/inside').expect(401, { user: null })
    })

    it(`answers while the store is silent: ${name}`, async () => {
      const world = new SlowHost(answersItself())
      const began = performance.now()
      world.slow = 'set'
      expect((await login(browserOf(world.host))).status).to.equal(500)
      expect(performance.now() - began).to.be.below(IN_TIME)
    })
  }

  it('signs nobody in when a serialiser answers late, and leaves the session as it was', async () => {
    const world = new SlowHost(answersItself())
    const browser = browserOf(world.host)
    await browser.get('/basket').expect(200)
    const ended = await endings(async () => {
      world.slow = 'serializeUser'
      await passFirstStep(browser, bob).expect(500)
      await world.comeLate()
    })
    expect(ended).to.deep.equal([])
    expect((await browser.get('/basket/shown').expect(200)).body).to.deep.equal(['book'])
    await browser.get('/inside').expect(401, { user: null })
  })

  it('begins again where a serialiser answers late at the end: the code has ended the pending login', async () => {
    const world = new SlowHost({
      ...answersItself(({ app, passport, secondStep }) => {
        passport.use(secondStep.strategy())
        app.post('/code', passport.authenticate('second-step', { successRedirect: '/inside' }))
      }),
    })
    const enrolment = await enrol(world.host, ann)
    const browser = browserOf(world.host)
    await passFirstStep(browser, ann).expect(200)
    world.slow = 'serializeUser'
    await postJson(browser, '/code', { code: enrolment.code() }).expect(500)
    await world.comeLate()
    expect(sessionsOf(world.host).filter(({ secondStep }) => secondStep?.verified)).to.have.length(
      1, // of the browser that has set up
    )
    await getJson(browser, '/inside').expect(401, { user: null })
    world.host.system.advance(30_000)
    await giveCode(browser, enrolment.code()).expect(401)
    await passFirstStep(browser, ann).expect(200)
    await giveCode(browser, enrolment.code()).expect(200)
  })

  it('leaves a session that can be opened when the store is silent at its end', async () => {
    // express-session answers 500 for ever to a stored session without its cookie.
    const world = new SlowHost(answersItself())
    const browser = browserOf(world.host)
    await browser.get('/basket').expect(200)
    world.slow = 'destroy'
    await passFirstStep(browser, bob).expect(500)
    await world.comeLate()
    await browser.get('/inside').expect(401, { user: null })
  })
})

describe('a log-out whose failure the host overlooks', () => {
  for (const call of ['set', 'destroy'] as const) {
    it(`answers in time while the store is silent at ${call}`, async () => {
      const world = new SlowHost(answersItself())
      const browser = browserOf(world.host)
      await passFirstStep(browser, bob)
      const ended = await endings(async () => {
        const began = performance.now()
        world.slow = call
        await postJson(browser, '/logout/careless').expect(200)
        expect(performance.now() - began).to.be.below(IN_TIME)
        await world.comeLate()
      })
      expect(ended).to.deep.equal([])
      await browser.get('/inside').expect(401, { user: null })
    })
  }
})

describe('a login that the host has answered before it was done', () => {
  it('signs nobody in and runs no callback of success', async () => {
    // The host's own time-out, shorter than ours.
    let entered = 0
    const world = new SlowHost(
      answersItself(({ app }) => {
        app.post('/login/impatient', (req, res) => {
          req.logIn(bob, (error) => {
            if (!error) entered += 1
          })
          setImmediate(() => {
            res.status(503).json({ said: 'too late' })
            void world.comeLate()
          })
        })
      }),
    )
    const browser = browserOf(world.host)
    const ended = await endings(async () => {
      world.slow = 'serializeUser'
      await postJson(browser, '/login/impatient').expect(503)
      await world.comeLate()
    })
    expect(ended).to.deep.equal([])
    expect(entered).to.equal(0)
    expect(sessionsOf(world.host).filter(({ passport }) => passport?.user)).to.deep.equal([])
  })
})

describe('a session store that answers while the refusal is being written', () => {
  it('does not bring the session back, which would be waited for and sent', async () => {
    const late = { answer: async () => {} }
    const world = new SlowHost({
      options: {
        render: async (page) => {
          if (page === 'problem') await late.answer()
          return `<h1>${page}</h1>`
        },
      },
    })
    const browser = browserWithCookie(world.host)
    late.answer = async () => {
      await world.comeLate()
      world.slow = 'set'
    }
    world.slow = 'destroy'
    const began = performance.now()
    const login = browser.post('/login').type('form').set('Accept', 'text/html')
    const answer = await login.send({ username: 'bob', password: bob.password }).expect(503)
    expect(performance.now() - began).to.be.below(IN_TIME)
    expect(answer.headers).to.not.have.property('set-cookie')
  })
})
