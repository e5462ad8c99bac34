// The attack: a JWT route hands a token to whoever has the password alone, because Passport gives the user
// to the host's callback and never calls req.logIn.

import { expect } from 'chai'
import type { NextFunction, Request, Response } from 'express'
import { type AuthenticateOptions, Passport, Strategy } from 'passport'
import { expectProblem, postJson } from '../../support/answers.js'
import { browserOf, enrol, JSON_TYPE, passFirstStep, signIn } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import {
  ann,
  bob,
  type Host,
  type HostOptions,
  type HostUser,
  makeHost,
} from '../../support/host.js'
import { endings } from '../../support/process-endings.js'
import { setPolicy } from '../../support/visits.js'
import { warningsDuring, warningsUntil } from '../../support/warnings.js'

type Routes = NonNullable<HostOptions['routes']>

/** A route as NestJS's AuthGuard makes it: a callback gets the user, and a token is handed out. */
const tokenRoute =
  (options: object): Routes =>
  ({ app, passport }) => {
    app.post('/token', (req: Request, res: Response, next: NextFunction) => {
      const authenticate = passport.authenticate(
        'local',
        { property: 'user', ...options } as AuthenticateOptions,
        (error: unknown, user: HostUser | false) => {
          if (error) next(error)
          else if (user) res.json({ token: `token of ${user.id}` })
          else res.status(401).json({ code: 'invalid-credentials' })
        },
      )
      authenticate(req, res, next)
    })
  }

const askToken = (host: ReturnType<typeof makeHost>, { id, password }: HostUser) =>
  browserOf(host).post('/token').set('Accept', JSON_TYPE).send({ username: id, password })

describe('a token handed out in a callback of passport.authenticate()', () => {
  it('is not given to an enrolled user who has passed the first step alone', async () => {
    const host = makeHost({ routes: tokenRoute({ session: false }) })
    await enrol(host, ann)
    const answer = await askToken(host, ann)
    expectProblem(answer, 'code-required', 401)
    expect(answer.text).not.to.include('token of')
  })

  // Passport takes each of these for no session, and passes `assignProperty` over where there is a callback.
  const likewise: readonly object[] = [
    { session: 0 },
    { session: null },
    { session: false, assignProperty: 'account' },
    { session: false, assignProperty: null },
    { session: false, assignProperty: '' },
  ]
  for (const options of likewise) {
    it(`is not given either with ${JSON.stringify(options)}`, async () => {
      const host = makeHost({ routes: tokenRoute(options) })
      await enrol(host, ann)
      const answer = await askToken(host, ann)
      expectProblem(answer, 'code-required', 401)
      expect(answer.text).not.to.include('token of')
      await askToken(host, bob).expect(200, { token: 'token of bob' })
    })
  }

  it('is given to a user without a second step, and the host says who has the wrong password', async () => {
    const host = makeHost({ routes: tokenRoute({ session: false }) })
    await askToken(host, bob).expect(200, { token: 'token of bob' })
    await askToken(host, { ...bob, password: 'wrong' }).expect(401, { code: 'invalid-credentials' })
  })

  it('is given where the host says that the credential came after a second step', async () => {
    const host = makeHost({ routes: tokenRoute({ session: false, secondStep: false }) })
    await enrol(host, ann)
    await askToken(host, ann).expect(200, { token: 'token of ann' })
  })

  it('is refused also where the routes were made before createSecondStep()', async () => {
    const passport = new Passport()
    const early = passport.authenticate('local', { session: false }, function (
      this: void,
      _error: unknown,
      user: HostUser | false,
    ) {
      handed.push(user)
    } as never)
    const handed: unknown[] = []
    const host = makeHost({ passport, routes: ({ app }) => void app.post('/early', early) })
    await enrol(host, ann)
    const { id, password } = ann
    const answer = await browserOf(host)
      .post('/early')
      .set('Accept', JSON_TYPE)
      .send({ username: id, password })
    expectProblem(answer, 'code-required', 401)
    expect(handed).to.deep.equal([])
  })

  it('says where record or policy cannot be known: 503, and no token', async () => {
    const host = makeHost({ routes: tokenRoute({ session: false }) })
    await enrol(host, ann)
    host.store.find = () => Promise.reject(new Error('away'))
    expectProblem(await askToken(host, ann), 'unavailable', 503)
  })

  it('is warned of where the login has a session and the callback never calls req.logIn()', async () => {
    const host = makeHost({ routes: tokenRoute({}) })
    await enrol(host, ann)
    const said = await warningsUntil('req.logIn(user', async () => {
      await askToken(host, bob)
      await askToken(host, ann).expect(200)
      await askToken(host, ann).expect(200)
    })
    expect(said).to.have.length(1)
    expect(said[0]).to.include('req.logIn(user').and.to.include('{ session: false }')
  })

  it('goes to the gate where the callback calls req.logIn(), once', async () => {
    const host = makeHost({
      routes: ({ app, passport }) => {
        app.post('/custom', (req: Request, res: Response, next: NextFunction) => {
          passport.authenticate('local', (_error: unknown, user: HostUser) => {
            req.logIn(user as never, (error) => (error ? next(error) : res.json({ in: true })))
          })(req, res, next)
        })
      },
    })
    await enrol(host, ann)
    const login = ({ id, password }: HostUser) =>
      browserOf(host).post('/custom').set('Accept', JSON_TYPE).send({ username: id, password })
    const said = await warningsDuring(async () => {
      expect((await login(ann).expect(200)).body.status).to.equal('code-required')
      await login(bob).expect(200, { in: true })
    })
    expect(said).to.deep.equal([])
  })

  it('concerns no account that passport.authorize() finds beside the user', async () => {
    const host = makeHost({
      routes: ({ app, passport }) => {
        const options = { session: false, assignProperty: 'account' }
        app.post('/link', passport.authenticate('local', options), (req, res) => {
          res.json({ account: (Reflect.get(req, 'account') as HostUser).id })
        })
      },
    })
    await enrol(host, ann)
    const { id, password } = ann
    await browserOf(host)
      .post('/link')
      .send({ username: id, password })
      .expect(200, { account: 'ann' })
  })

  it('is given as often as a user without a second step has the right password', async () => {
    // limitPassword() counts wrong passwords; nobody calls req.logIn() here to say that this was none.
    const host = makeHost({
      routes: (parts) => {
        parts.app.use('/token', parts.secondStep.limitPassword())
        tokenRoute({ session: false })(parts)
      },
    })
    await setPolicy(host, { passwordAttempts: 3 })
    for (let login = 0; login < 5; login += 1) await askToken(host, bob).expect(200)
  })

  it('is given to an enrolled user at every right password, if it comes after a second step', async () => {
    const host = makeHost({
      routes: (parts) => {
        parts.app.use('/token', parts.secondStep.limitPassword())
        tokenRoute({ session: false, secondStep: false })(parts)
      },
    })
    await enrol(host, ann)
    await setPolicy(host, { passwordAttempts: 3 })
    for (let login = 0; login < 5; login += 1) await askToken(host, ann).expect(200)
  })

  for (const user of [ann, bob]) {
    it(`is not made once the host’s own time-out has answered: ${user.id}`, async () => {
      // The record comes late, and the callback would still issue a token that was given up.
      let timeOut = () => {}
      let outcome: Promise<unknown> = Promise.resolve()
      const host = makeHost({
        routes: ({ app, passport }) => {
          app.post('/token', (req: Request, res: Response, next: NextFunction) => {
            timeOut = () => res.status(503).json({ said: 'too slow' })
            outcome = new Promise((resolve) => {
              const called = (error: Error | null, found: unknown) =>
                resolve([error?.message, found ?? null])
              const options: AuthenticateOptions = { session: false }
              passport.authenticate('local', options, called)(req, res, next)
            })
          })
        },
      })
      await enrol(host, ann)
      const { find } = host.store
      host.store.find = (id) => {
        timeOut()
        return find(id)
      }
      await askToken(host, user).expect(503, { said: 'too slow' })
      const said = 'the response was sent before the login was done: nobody is signed in'
      expect(await outcome).to.deep.equal([said, null])
    })
  }

  it('is refused with a ConfigurationError where `secondStep: false` stands without `session: false`', async () => {
    const host = makeHost({ routes: tokenRoute({ secondStep: false }) })
    host.app.set('env', 'test')
    await enrol(host, ann)
    const { text } = await askToken(host, ann).expect(500)
    expect(text).to.include('add `session: false`').and.to.not.include('token of')
  })

  it('is warned of by the line to change, once a minute', async () => {
    const host = makeHost({ routes: tokenRoute({}) })
    await enrol(host, ann)
    for (const _ of [1, 2]) {
      const words = "POST /token: the callback of passport.authenticate('local', …)"
      const said = await warningsUntil(words, () => askToken(host, ann).expect(200))
      expect(said).to.have.length(1)
      expect(said[0]).to.include(words)
      host.system.advance(MINUTE)
    }
  })

  it('gives no warning if a signed-in user confirms the password', async () => {
    const host = makeHost({ routes: tokenRoute({}) })
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await signIn(browser, ann, enrolment)
    const said = await warningsDuring(async () => {
      const { id, password } = ann
      await postJson(browser, '/token', { username: id, password }).expect(200)
    })
    expect(said).to.deep.equal([])
  })
})

/** NestJS's AuthGuard: what the strategy says becomes a promise, and a filter answers what fails. */
const nestLike =
  (type: string | string[], options: object): Routes =>
  ({ app, passport }) => {
    const canActivate = (req: Request, res: Response) =>
      new Promise<HostUser>((resolve, reject) => {
        const given = { session: false, property: 'user', ...options } as AuthenticateOptions
        const called = (error: unknown, user: HostUser | false) => {
          if (error || !user) reject(error ?? Object.assign(new Error('no'), { statusCode: 401 }))
          else resolve(user)
        }
        passport.authenticate(type, given, called)(req, res, (error: unknown) =>
          reject(error ?? new Error('it passed')),
        )
      })
    app.post('/nest', async (req, res) => {
      try {
        const { id } = await canActivate(req, res)
        res.json({ token: `token of ${id}` })
      } catch (error) {
        const { statusCode = 500, message } = error as Error & { statusCode?: number }
        res.status(statusCode).json({ statusCode, message })
      }
    })
  }

/** Answers from a database, where nobody catches what is thrown. */
class LaterStrategy extends Strategy {
  override readonly name = 'later'

  override authenticate(req: Request): void {
    setImmediate(() => (req.get('x-key') === 'ann' ? this.success(ann) : this.fail(401)))
  }
}

const askNest = (host: Host, { id, password }: HostUser) =>
  postJson(browserOf(host), '/nest', { username: id, password })

describe('NestJS’s AuthGuard', () => {
  for (const type of ['local', ['later', 'local']]) {
    it(`refuses an enrolled user, and lets others in: ${JSON.stringify(type)}`, async () => {
      const host = makeHost({
        routes: (parts) => {
          parts.passport.use(new LaterStrategy())
          nestLike(type, {})(parts)
        },
      })
      await enrol(host, ann)
      expectProblem(await askNest(host, ann), 'code-required', 401)
      await askNest(host, bob).expect(200, { token: 'token of bob' })
      await askNest(host, { ...bob, password: 'wrong' }).expect(401)
    })
  }

  it('lets a token in that was made after a second step', async () => {
    const host = makeHost({
      routes: (parts) => {
        parts.passport.use(new LaterStrategy())
        nestLike('later', { secondStep: false })(parts)
      },
    })
    await enrol(host, ann)
    const withToken = browserOf(host).post('/nest').set('X-Key', 'ann')
    await withToken.expect(200, { token: 'token of ann' })
  })

  it('answers a part that is away with 503, by its own filter', async () => {
    const host = makeHost({ routes: nestLike('local', {}) })
    await enrol(host, ann)
    host.store.find = () => Promise.reject(new Error('away'))
    const { body } = await askNest(host, ann).expect(503)
    expect(body).to.deep.equal({ statusCode: 503, message: 'the record store is not available' })
  })
})

describe('the refusal of a callback without a session', () => {
  for (const mode of ['optional', 'required'] as const) {
    it(`is the one of the same call without a callback, where the policy is ${mode}`, async () => {
      const host = makeHost({
        routes: (parts) => {
          tokenRoute({ session: false })(parts)
          const plain = parts.passport.authenticate('local', { session: false })
          parts.app.post('/plain', plain, (_req, res) => res.json({ token: 'a token' }))
        },
      })
      if (mode === 'optional') await enrol(host, ann)
      else await setPolicy(host, { mode })
      const [callback, plain] = await Promise.all(
        ['/token', '/plain'].map((path) =>
          postJson(browserOf(host), path, { username: 'ann', password: ann.password }),
        ),
      )
      expect(callback?.status).to.be.oneOf([401, 403])
      expect([callback?.status, callback?.body]).to.deep.equal([plain?.status, plain?.body])
    })
  }
})

describe('a strategy that answers later', () => {
  it('does not end the process if it finds no valid user', async () => {
    let broken = false
    const host = makeHost({
      options: { describe: ({ id }) => ({ id: broken ? undefined : id }) },
      mountFirst: ({ app, passport }) => {
        passport.use(new LaterStrategy())
        app.post('/second-step/later', passport.authenticate('later'))
      },
      routes: ({ app, passport }) => {
        app.post('/token', passport.authenticate('later', { session: false }))
      },
    })
    host.app.set('env', 'test')
    await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(200)
    browser.set('X-Key', 'ann')
    broken = true
    const ended = await endings(async () => {
      for (const path of ['/second-step/later', '/token']) {
        const { text } = await postJson(browser, path).expect(500)
        expect(text).to.include('describe')
      }
    })
    expect(ended).to.deep.equal([])
  })
})

describe('a strategy that is handed over as an object, or run by an instance that was not named', () => {
  it('gives no token for the password alone', async () => {
    const handed: unknown[] = []
    const host = makeHost({
      routes: ({ app, passport }) => {
        app.set('env', 'test')
        const strategy = new (class extends Strategy {
          override readonly name = 'anonymous-object'
          override authenticate(): void {
            this.success(ann)
          }
        })()
        const take = (_error: unknown, user: unknown) => handed.push(user)
        app.post(
          '/object',
          passport.authenticate(strategy as never, { session: false }, take as never),
        )
        const api = new Passport()
        api.use(strategy)
        app.post('/api', api.authenticate('anonymous-object', { session: false }, take as never))
      },
    })
    await enrol(host, ann)
    expectProblem(
      await browserOf(host).post('/object').set('Accept', JSON_TYPE),
      'code-required',
      401,
    )
    const { text } = await browserOf(host).post('/api').expect(500)
    expect(text).to.include('`passports`')
    expect(handed).to.deep.equal([])
  })
})

describe('an error of the host’s describe in a strategy’s callback', () => {
  it('goes to the host’s error handler: a database’s callback catches nothing', async () => {
    const host = makeHost({
      mountFirst: ({ app, passport }) => {
        app.set('env', 'test')
        passport.use(
          new (class extends Strategy {
            override readonly name = 'odd'
            override authenticate(req: Request): void {
              if (req.get('x-odd') === undefined) this.pass()
              else setImmediate(() => this.success({ id: 'odd', email: ['x@y.z'] } as never))
            }
          })(),
        )
        app.use(passport.authenticate('odd'))
      },
    })
    await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(200)
    await browser.get('/second-step/challenge').set('X-Odd', '1').expect(500)
  })
})

describe('a callback of req.logIn() that rejects', () => {
  it('goes to the host’s error handler', async () => {
    const host = makeHost({
      routes: ({ app }) => {
        app.set('env', 'test')
        app.post('/async', (req) => {
          req.logIn(bob as never, async () => {
            throw new TypeError('the host’s own')
          })
        })
      },
    })
    const { text } = await browserOf(host).post('/async').expect(500)
    expect(text).to.include('the host’s own')
  })
})
