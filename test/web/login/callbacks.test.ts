// The attack: somebody brings a callback of the host's to throw, by a field that the host did not
// expect or a response that is over already, and the process ends for everybody, once a request.

import { EventEmitter, once } from 'node:events'
import { expect } from 'chai'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { memoryStore, type SecondStepOptions } from '../../../lib/index.js'
import { expectProblem, getJson } from '../../support/answers.js'
import { browserOf, browserWithCookie, giveCode, passFirstStep } from '../../support/browser.js'
import {
  ann,
  bob,
  type Host,
  type HostOptions,
  type HostParts,
  type HostUser,
  makeHost,
} from '../../support/host.js'
import { endings } from '../../support/process-endings.js'
import { enrolledVisit, pendingVisit, wrongCodeOf } from '../../support/visits.js'
import { warningsDuring, warningsUntil } from '../../support/warnings.js'

/** What reached the host's error handler, and how often its callback ran. */
interface Seen {
  calls: number
  readonly errors: string[]
}

type Fails = () => never

/** A host one route of which has a callback that throws. */
function hostWith(
  seen: Seen,
  route: (parts: HostParts, fails: Fails) => RequestHandler,
): HostOptions {
  const fails = (): never => {
    seen.calls += 1
    throw new Error('the host’s own mistake')
  }
  const handled: ErrorRequestHandler = (error, _req, res, _next) => {
    seen.errors.push(error.message)
    res.status(500).json({ said: error.message })
  }
  return {
    routes: (parts) => {
      parts.app.post('/here', route(parts, fails))
      parts.app.use(handled)
    },
  }
}

describe('a callback of the host’s that throws', () => {
  let seen: Seen
  const ended: unknown[] = []
  const listen = (reason: unknown) => void ended.push(reason)

  beforeEach(() => {
    seen = { calls: 0, errors: [] }
    ended.length = 0
    process.on('unhandledRejection', listen)
  })
  afterEach(async () => {
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', listen)
    expect(ended).to.deep.equal([])
  })

  /** The error came to the host once, its callback ran once, and the app goes on. */
  async function expectToldOnce(host: Host, answer: { status: number; body: object }) {
    expect([answer.status, answer.body]).to.deep.equal([500, { said: 'the host’s own mistake' }])
    expect(seen).to.deep.equal({ calls: 1, errors: ['the host’s own mistake'] })
    await browserOf(host).get('/inside').expect(401)
  }

  for (const session of [true, false]) {
    it(`comes to the host’s error handler: req.logIn() with session: ${session}`, async () => {
      const host = makeHost(
        hostWith(seen, (_, fails) => (req) => req.logIn(bob, { session }, fails)),
      )
      await expectToldOnce(host, await browserOf(host).post('/here'))
    })
  }

  it('comes to the host’s error handler: req.logIn() that failed', async () => {
    const host = makeHost({
      ...hostWith(seen, (_, fails) => (req) => req.logIn(bob, fails)),
      options: { describe: () => ({ id: undefined }) },
    })
    await expectToldOnce(host, await browserOf(host).post('/here'))
  })

  it('comes to the host’s error handler: a custom callback of passport.authenticate()', async () => {
    const host = makeHost(
      hostWith(seen, ({ passport }, fails) => (req, res, next) => {
        const answered = (_error: unknown, user: Express.User) => req.logIn(user, fails)
        passport.authenticate('local', answered)(req, res, next)
      }),
    )
    const login = { username: 'bob', password: bob.password }
    await expectToldOnce(host, await browserOf(host).post('/here').send(login))
  })

  for (const keepSessionInfo of [false, true]) {
    it(`comes to the host’s error handler: req.logOut(), keepSessionInfo ${keepSessionInfo}`, async () => {
      const out = hostWith(seen, (_, fails) => (req) => req.logOut({ keepSessionInfo }, fails))
      const host = makeHost(out)
      await expectToldOnce(host, await browserOf(host).post('/here'))
    })
  }

  it('comes to the host’s error handler: req.logOut() of somebody whose log-out is recorded', async () => {
    const { host, browser, enrolment } = await pendingVisit(
      hostWith(seen, (_, fails) => (req) => req.logOut(fails)),
    )
    await giveCode(browser, enrolment.code()).expect(200)
    await expectToldOnce(host, await browser.post('/here'))
    await browser.get('/inside').expect(401)
  })

  const strategy = (fails: 'on success' | 'on failure') =>
    hostWith(seen, ({ passport, secondStep }, failing) => {
      passport.use(secondStep.strategy())
      return (req, res, next) => {
        const answered = (_error: unknown, user: unknown) => {
          if ((user === false) === (fails === 'on failure')) failing()
        }
        passport.authenticate('second-step', answered)(req, res, next)
      }
    })

  it('comes to the host’s error handler: the strategy’s, when the code is right', async () => {
    const { host, browser, enrolment } = await pendingVisit(strategy('on success'))
    await expectToldOnce(host, await browser.post('/here').send({ code: enrolment.code() }))
    await browser.get('/inside').expect(401, { user: null })
  })

  it('comes to the host’s error handler: the strategy’s, when the code is wrong', async () => {
    const { host, browser, enrolment } = await pendingVisit(strategy('on failure'))
    const code = wrongCodeOf(host, enrolment)
    await expectToldOnce(host, await browser.post('/here').send({ code }))
  })

  for (const [how, onPending] of Object.entries({
    throws: () => {
      throw new Error('the host’s template is missing')
    },
    rejects: async () => {
      throw new Error('the host’s template is missing')
    },
  })) {
    it(`is an error of the login where onPending ${how}, and nobody is in`, async () => {
      const { host, browser } = await enrolledVisit({ options: { onPending } })
      // Express's own error handler writes to the console otherwise.
      host.app.set('env', 'test')
      const login = await passFirstStep(browser, ann).expect(500)
      expect(login.text).to.include('the host’s template is missing')
      await browser.get('/inside').expect(401, { user: null })
    })
  }

  // A template server of the host's that is away: the login hung for as long as it was.
  it('is a 503 within two seconds where onPending is silent, and what it throws later ends nothing', async () => {
    const late = new EventEmitter()
    const onPending = async () => {
      await once(late, 'back')
      throw new Error('the template server is back, and empty')
    }
    const { host, browser } = await enrolledVisit({ options: { onPending } })
    const began = performance.now()
    const ended = await endings(async () => {
      const said = await warningsDuring(async () => {
        expectProblem(await passFirstStep(browser, ann), 'unavailable', 503)
      })
      expect(performance.now() - began).to.be.below(2000)
      expect(said.join()).to.include('onPending')
      late.emit('back')
      await new Promise((resolve) => setImmediate(resolve))
    })
    expect(ended).to.deep.equal([])
    await browser.get('/inside').expect(401, { user: null })
    const again = browserOf(host)
    await again.get('/inside').expect(401, { user: null })
  })

  // The mistake: it only notes the login, and every login of somebody with a second step hangs.
  it('is a 503 within two seconds where onPending answers nothing, and named to the operator', async () => {
    const { browser } = await enrolledVisit({ options: { onPending: () => undefined } })
    const began = performance.now()
    const said = await warningsDuring(async () => {
      expectProblem(await passFirstStep(browser, ann), 'unavailable', 503)
    })
    expect(performance.now() - began).to.be.below(2000)
    expect(said.join()).to.include('onPending')
  })

  it('is what onPending sends once it has returned, as a view is', async () => {
    const onPending: SecondStepOptions<HostUser>['onPending'] = (_req, res, { status }) => {
      setImmediate(() => res.json({ status }))
    }
    const { browser } = await enrolledVisit({ options: { onPending } })
    await passFirstStep(browser, ann).expect(200, { status: 'code-required' })
  })

  it('is a 503 where onPending answers too late, from a callback: that ends nothing', async () => {
    const late = new EventEmitter()
    const onPending: SecondStepOptions<HostUser>['onPending'] = (_req, res, info) =>
      new Promise<void>((resolve) => {
        late.once('saved', () => {
          res.status(202).json(info)
          resolve()
        })
      })
    const options = { onPending, timeout: 500, store: memoryStore() }
    const { browser } = await enrolledVisit({ options })
    const ended = await endings(async () => {
      expectProblem(await passFirstStep(browser, ann), 'unavailable', 503)
      late.emit('saved')
      await new Promise((resolve) => setImmediate(resolve))
    })
    expect(ended).to.deep.equal([])
  })

  // A stream of a template server that stops in the middle: the login hung for as long as it did.
  for (const [how, written] of Object.entries({
    'returns and has': Promise.resolve(),
    'is still running and has': new Promise<void>(() => undefined),
  })) {
    it(`ends the connection where onPending ${how} written a part, and what it writes later ends nothing`, async () => {
      const late = new EventEmitter()
      const onPending: SecondStepOptions<HostUser>['onPending'] = (_req, res) => {
        res.write('<p>')
        late.once('back', () => void res.write('a code, please'))
        return written
      }
      const options = { onPending, timeout: 500, store: memoryStore() }
      const { browser } = await enrolledVisit({ options })
      const ended = await endings(async () => {
        const said = await warningsDuring(async () => {
          const login = passFirstStep(browser, ann).then(() => 'answered')
          expect(await login.catch((error: Error) => error.message)).to.equal('aborted')
        })
        expect(said.join()).to.include('onPending')
        late.emit('back')
        await new Promise((resolve) => setImmediate(resolve))
      })
      expect(ended).to.deep.equal([])
    })
  }

  it('is none where onPending has answered and goes on for long', async () => {
    const late = new EventEmitter()
    const onPending: SecondStepOptions<HostUser>['onPending'] = async (_req, res, { status }) => {
      res.json({ status })
      await once(late, 'logged')
    }
    const told: unknown[] = []
    const { browser } = await enrolledVisit({
      options: { onPending, timeout: 500, store: memoryStore() },
      routes: ({ app }) => {
        const tell: ErrorRequestHandler = (error, _req, _res, next) => {
          told.push(error)
          next(error)
        }
        app.use(tell)
      },
    })
    const said = await warningsUntil('onPending', () =>
      passFirstStep(browser, ann).expect(200, { status: 'code-required' }),
    )
    expect(said.join()).to.include('onPending')
    expect(told).to.deep.equal([])
    await getJson(browser, '/second-step/challenge').expect(200)
    late.emit('logged')
  })

  it('is dropped where the host’s time-out has answered already', async () => {
    const happens = new EventEmitter()
    const host = makeHost({
      beforeGuard: ({ app }) => {
        app.post('/login', (_req, res, next) => {
          happens.once('the store is slow', () => res.status(503).end('late'))
          next()
        })
      },
      routes: ({ app }) => {
        const told: ErrorRequestHandler = (error, _req, _res, next) => {
          happens.emit('told', error)
          next(error)
        }
        app.use(told)
      },
    })
    host.app.set('env', 'test')
    const destroy = host.sessions.destroy.bind(host.sessions)
    host.sessions.destroy = (id, done) => {
      happens.once('answered', () => destroy(id, done))
      happens.emit('the store is slow')
    }
    const told = once(happens, 'told')
    const { status, text } = await passFirstStep(browserWithCookie(host), bob)
    expect([status, text]).to.deep.equal([503, 'late'])
    happens.emit('answered')
    const [error] = (await told) as [Error]
    expect(error.message).to.include('nobody is signed in')
    await browserOf(host).get('/inside').expect(401)
  })
})
