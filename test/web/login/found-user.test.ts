// The attacks: a JWT route hands a token to whoever has the password alone, because Passport gives the user
// to the host's callback and never calls req.logIn; and a host whose "remember me" starts a new login at
// each request locks its users out.

import { expect } from 'chai'
import type { NextFunction, Request, Response } from 'express'
import { type AuthenticateOptions, Passport, Strategy } from 'passport'
import { expectProblem } from '../../support/answers.js'
import {
  browserOf,
  enrol,
  giveCode,
  HTML,
  JSON_TYPE,
  passFirstStep,
} from '../../support/browser.js'
import { ann, bob, type HostOptions, type HostUser, makeHost } from '../../support/host.js'
import { editSession, sessionsOf } from '../../support/sessions.js'
import { warningsDuring } from '../../support/warnings.js'

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
    const said = await warningsDuring(async () => {
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
})

/** Signs in whoever has the cookie, at each request that has no user. */
class RememberMe extends Strategy {
  override readonly name = 'remember-me'

  override authenticate(req: Request): void {
    if (req.isAuthenticated() || req.get('x-remembered') !== 'ann') this.pass()
    else this.success(ann)
  }
}

const remember: Routes = ({ app, passport }) => {
  passport.use(new RememberMe())
  app.use(passport.authenticate('remember-me'))
}

describe('"remember me" and a second step', () => {
  const places: Record<string, HostOptions> = {
    'after the guard': { mountFirst: remember },
    'in front of the guard': { beforeGuard: remember },
  }
  for (const [place, options] of Object.entries(places)) {
    it(`get the user in when the strategy is mounted ${place}`, async () => {
      const host = makeHost(options)
      const enrolment = await enrol(host, ann)
      const browser = browserOf(host)
      browser.set('X-Remembered', 'ann')
      await browser
        .get('/inside')
        .set('Accept', HTML)
        .expect(303, /.*/)
        .expect('Location', '/second-step/challenge')
      await browser.get('/second-step/challenge').set('Accept', HTML).expect(200)
      await giveCode(browser, enrolment.code()).expect(200)
      await browser.get('/inside').set('Accept', JSON_TYPE).expect(200)
    })

    it(`are no way around it when the strategy is mounted ${place}`, async () => {
      const host = makeHost(options)
      await enrol(host, ann)
      const browser = browserOf(host)
      browser.set('X-Remembered', 'ann')
      const asked = await browser.get('/inside').set('Accept', JSON_TYPE)
      expect(asked.body.user ?? null).to.equal(null)
      await giveCode(browser, '000000').expect(401)
      await browser.get('/second-step/').set('Accept', JSON_TYPE).expect(401)
    })
  }

  it('keep one pending login over the pages of the challenge, with its expiry and its count', async () => {
    const host = makeHost({ mountFirst: remember })
    await enrol(host, ann)
    const browser = browserOf(host)
    browser.set('X-Remembered', 'ann')
    await browser.get('/inside').set('Accept', HTML).expect(303)
    const pending = () =>
      sessionsOf(host).flatMap(({ secondStep }) => secondStep?.pending?.id ?? [])
    const first = pending()
    await browser.get('/second-step/challenge').set('Accept', HTML).expect(200)
    await giveCode(browser, '000000').expect(401)
    expect(pending()).to.deep.equal(first)
  })

  it('do not mix users: a pending login of somebody else is no login of this one', async () => {
    const host = makeHost({ mountFirst: remember })
    await enrol(host, ann)
    const enrolment = await enrol(host, bob)
    const browser = browserOf(host)
    await passFirstStep(browser, bob).expect(200)
    browser.set('X-Remembered', 'ann')
    await giveCode(browser, enrolment.code())
    await browser
      .get('/inside')
      .set('Accept', JSON_TYPE)
      .expect((answer) => {
        expect(answer.body.user ?? null).to.equal(null)
      })
  })
})

/** A second instance, whose users are under a key of their own in the session. */
function staffPassport() {
  const staff = new Passport()
  staff.serializeUser((user, done) => done(null, (user as HostUser).id))
  staff.deserializeUser((id, done) =>
    done(null, [ann, bob].find((user) => user.id === id) ?? false),
  )
  for (const part of [
    staff,
    Reflect.get(staff, '_sm'),
    Reflect.get(staff, '_strategies').session,
  ]) {
    Reflect.set(part, '_key', 'staff')
  }
  return staff
}

describe('two Passport instances in front of one guard', () => {
  it('are told: users of the first would meet no second step', async () => {
    // Customers and staff in one app: guard() stands after the session() of staff alone.
    const [passport, staff] = [new Passport(), staffPassport()]
    const host = makeHost({
      passport,
      passports: [passport, staff],
      beforeGuard: ({ app }) => {
        app.set('env', 'test')
        app.use(staff.initialize({ userProperty: 'staff' }), staff.authenticate('session'))
      },
      mountFirst: ({ app }) => {
        app.post('/first', passport.initialize(), (req, res, next) => {
          req.logIn(bob as never, (error) => (error ? next(error) : res.json({ in: true })))
        })
      },
    })
    const browser = browserOf(host)
    await browser.post('/first').expect(200)
    const { text } = await browser.get('/inside').expect(500)
    expect(text).to.include('mount guard() after the session() of each')
  })

  it('are fine with a guard after each, and with a session() on a router of its own', async () => {
    const [passport, staff] = [new Passport(), staffPassport()]
    const host = makeHost({
      passport,
      passports: [passport, staff],
      beforeGuard: ({ app, secondStep }) => {
        app.use(secondStep.guard(), staff.authenticate('session'))
      },
    })
    const browser = browserOf(host)
    await passFirstStep(browser, bob)
    editSession(host, (session) => void Reflect.set(session, 'staff', { user: 'bob' }))
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(200)
  })

  it('are told at the first request where createSecondStep() knows only another one', async () => {
    const [passport, known] = [new Passport(), new Passport()]
    const host = makeHost({ passport, passports: [known] })
    host.app.set('env', 'test')
    const { text } = await browserOf(host).get('/inside').expect(500)
    expect(text).to.include('`passports`')
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

describe('what the host’s describe throws in a strategy’s callback', () => {
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

describe('an account that passport.authorize() finds in front of the guard', () => {
  it('makes no first step of a session that was revoked', async () => {
    const host = makeHost({
      beforeGuard: ({ app, passport }) => {
        passport.use(
          new (class extends Strategy {
            override readonly name = 'account'
            override authenticate(): void {
              this.success(bob)
            }
          })(),
        )
        app.use(passport.authenticate('account', { assignProperty: 'account' }))
      },
    })
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await enrol(host, ann)
    editSession(host, (session) => void Reflect.deleteProperty(session, 'secondStep'))
    expectProblem(
      await browser.get('/second-step/challenge').set('Accept', JSON_TYPE),
      'not-signed-in',
      401,
    )
  })
})
