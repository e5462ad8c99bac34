// The attack: somebody with a stolen session sends the header of a request to a route that logs its user
// in again, in one of the usual ways, and holds back the body. The owner ends everything; then the body
// comes, and the route would make a new session, or a new pending login, of the one that is over.

import { expect } from 'chai'
import type { Request, RequestHandler } from 'express'
import { type LogInOptions, Passport, Strategy as PassportStrategy } from 'passport'
import { Strategy as LocalStrategy } from 'passport-local'
import { getJson, postJson } from '../../support/answers.js'
import { browserOf, type Enrolment, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import {
  ann,
  bob,
  type Host,
  type HostOptions,
  type HostUser,
  makeHost,
} from '../../support/host.js'
import { park } from '../../support/parked.js'
import { cookieOf, useCookie } from '../../support/sessions.js'

type Instance = InstanceType<typeof Passport>
type Way = (passport: Instance) => RequestHandler

const again =
  (userOf: (user: HostUser) => HostUser, options: LogInOptions = { session: true }): Way =>
  () =>
  (req, res, next) =>
    req.logIn(userOf(req.user as HostUser), options, (error) =>
      error ? next(error) : res.json({}),
    )

/** A strategy that is given the request, as one that links an account is. */
const linking =
  (userOf: (user: HostUser) => HostUser, options: object = {}): Way =>
  (passport) => {
    const verify = (
      req: Request,
      _name: string,
      _password: string,
      done: (...of: never[]) => void,
    ) => (done as (error: null, user: HostUser) => void)(null, userOf(req.user as HostUser))
    passport.use('link', new LocalStrategy({ passReqToCallback: true }, verify as never))
    return chained(passport.authenticate('link', options), (_req, res) => res.json({}))
  }

/** One with code of its own. */
class OwnStrategy extends PassportStrategy {
  override authenticate(req: Request): void {
    this.success({ ...(req.user as HostUser) } as Express.User)
  }
}

function chained(first: RequestHandler, then: RequestHandler): RequestHandler {
  return (req, res, next) =>
    first(req, res, (error?: unknown) => (error ? next(error) : then(req, res, next)))
}

const same = (user: HostUser) => user
const copied = (user: HostUser) => ({ ...user })
const toBob = () => bob

const WAYS: Readonly<Record<string, Way>> = {
  'req.logIn(req.user)': again(same, { session: true, keepSessionInfo: true }),
  'req.logIn() of a copy': again(copied),
  'req.logIn() for this request alone': again(same, { session: false }),
  'req.logIn() of somebody else': again(toBob),
  'regenerate(), then req.logIn()': () => (req, res, next) => {
    const { user } = req
    req.session.regenerate(() => {
      req.logIn(user as Express.User, (error) => (error ? next(error) : res.json({})))
    })
  },
  'regenerate() that nobody waits for, then req.logIn()': () => (req, res, next) => {
    const { user } = req
    req.session.regenerate(() => undefined)
    req.logIn(user as Express.User, (error) => (error ? next(error) : res.json({})))
  },
  'destroy(), then req.logIn()': () => (req, res, next) => {
    const { user } = req
    req.session.destroy(() => {
      req.logIn(user as Express.User, (error) => (error ? next(error) : res.json({})))
    })
  },
  'req.logout(), then req.logIn()': () => (req, res, next) => {
    const { user } = req
    req.logout({ keepSessionInfo: true }, () => {
      req.logIn(user as Express.User, (error) => (error ? next(error) : res.json({})))
    })
  },
  'a strategy that links an account': linking(same),
  'a strategy that links an account to a copy': linking(copied),
  'a strategy that acts as somebody else': linking(toBob),
  'a strategy that links, for this request alone': linking(same, { session: false }),
  'a strategy of its own that links': (passport) => {
    passport.use('own', new OwnStrategy())
    return chained(passport.authenticate('own'), (_req, res) => res.json({}))
  },
  'the callback of a strategy that found a profile': (passport) => {
    const verify = (_name: string, _password: string, done: (...of: never[]) => void) =>
      (done as (error: null, user: object) => void)(null, { id: 'profile-1' })
    passport.use('profile', new LocalStrategy(verify as never))
    return (req, res, next) =>
      passport.authenticate('profile', () => {
        req.logIn({ ...(req.user as HostUser) } as Express.User, (error) =>
          error ? next(error) : res.json({}),
        )
      })(req, res, next)
  },
  'the callback of authorize(), which found an account of the same id': (passport) => {
    const verify = (_name: string, _password: string, done: (...of: never[]) => void) =>
      (done as (error: null, user: object) => void)(null, { id: 'ann', name: 'of elsewhere' })
    passport.use('account', new LocalStrategy(verify as never))
    return (req, res, next) =>
      passport.authorize('account', {}, () => {
        req.logIn(req.user as Express.User, (error) => (error ? next(error) : res.json({})))
      })(req, res, next)
  },
  'the callback of a strategy that links, which gets the user': (passport) => {
    passport.use('own', new OwnStrategy())
    return (req, res, next) =>
      passport.authenticate('own', { session: false }, () => res.json({}))(req, res, next)
  },
}

type Ending = (host: Host, cookie: string, enrolment: Enrolment | null) => PromiseLike<unknown>

const ENDINGS: Readonly<Record<string, Ending>> = {
  'a log-out': (host, cookie) => useCookie(browserOf(host), cookie).post('/logout').expect(200),
  'passwordChanged()': ({ secondStep }) => secondStep.passwordChanged('ann'),
  'endSessions()': ({ secondStep }) => secondStep.endSessions('ann'),
}

const RESET: Readonly<Record<string, Ending>> = {
  'the owner’s reset': async (host, _cookie, enrolment) => {
    const owner = browserOf(host)
    await passFirstStep(owner, ann).expect(200)
    await giveCode(owner, enrolment?.code()).expect(200)
    host.system.advance(30 * SECOND)
    await postJson(owner, '/second-step/reset', { code: enrolment?.code() }).expect(200)
    host.system.advance(30 * SECOND)
  },
}

function hostWith(way: Way, more: HostOptions = {}): Host {
  return makeHost({
    ...more,
    routes: (parts) => {
      more.routes?.(parts)
      const run = way(parts.passport)
      parts.app.post('/profile', (req, res, next) =>
        req.user === undefined ? res.sendStatus(401) : run(req, res, next),
      )
    },
  })
}

const BODY = { username: 'a', password: 'b' }

interface Session {
  readonly enrolment: Enrolment | null
  readonly cookie: string
}

/** Ann's session. */
async function sessionOf(host: Host, isEnrolled: boolean): Promise<Session> {
  const enrolment = isEnrolled ? await enrol(host, ann) : null
  const browser = browserOf(host)
  const first = await passFirstStep(browser, ann)
  if (enrolment === null) return { enrolment, cookie: cookieOf(first) }
  const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
  host.system.advance(30 * SECOND)
  return { enrolment, cookie }
}

async function expectNobodyIn(host: Host, isEnrolled: boolean, end: Ending): Promise<void> {
  const { cookie, enrolment } = await sessionOf(host, isEnrolled)
  const parked = await park(host, '/profile', { cookie, like: BODY })
  await end(host, cookie, enrolment)
  const answer = await parked.finish(BODY)
  expect([answer.status, answer.body.code]).to.deep.equal([401, 'sign-in-again'])
  const after = useCookie(browserOf(host), answer.cookie ?? cookie)
  expect((await getJson(after, '/inside')).status).to.equal(401)
  const setUp = await getJson(after, '/second-step/setup')
  expect([setUp.status, setUp.body.code]).to.deep.equal([401, 'not-signed-in'])
}

for (const isEnrolled of [true, false]) {
  const how = `${isEnrolled ? 'with' : 'without'} a second step`
  for (const [way, run] of Object.entries(WAYS)) {
    describe(`${way} by a parked request, ${how}`, () => {
      for (const [name, end] of Object.entries(isEnrolled ? { ...ENDINGS, ...RESET } : ENDINGS)) {
        it(`signs nobody in after ${name}`, () => expectNobodyIn(hostWith(run), isEnrolled, end))
      }
    })
  }

  describe(`a login by a parked request, ${how}`, () => {
    it('signs nobody in by a second Passport instance in charge', async () => {
      const [passport, staff] = [new Passport(), new Passport()]
      const { session } = Reflect.get(staff, '_strategies')
      for (const part of [staff, Reflect.get(staff, '_sm'), session])
        Reflect.set(part, '_key', 'staff')
      staff.serializeUser((user, done) => done(null, (user as HostUser).id))
      staff.deserializeUser((_id, done) => done(null, ann as Express.User))
      const host = hostWith(again(same), {
        ...{ passport, passports: [passport, staff] },
        routes: ({ app }) => void app.use(staff.initialize(), staff.session()),
      })
      await expectNobodyIn(host, isEnrolled, ({ secondStep }) => secondStep.endSessions('ann'))
    })

    it('is over where everything ends after its own log-out', async () => {
      // The end of every session counts also when the request itself has ended its own first.
      const ends: (() => Promise<void>)[] = []
      const host = hostWith(() => (req, res, next) => {
        const { user } = req
        req.session.regenerate(async () => {
          for (const end of ends) await end()
          req.logIn(user as Express.User, (error) => (error ? next(error) : res.json({})))
        })
      })
      const { cookie } = await sessionOf(host, isEnrolled)
      ends.push(() => host.secondStep.endSessions('ann'))
      const browser = useCookie(browserOf(host), cookie)
      const answer = await postJson(browser, '/profile', BODY)
      expect([answer.status, answer.body.code]).to.deep.equal([401, 'sign-in-again'])
    })

    it('is a first step like any other where the password is given', async () => {
      const host = makeHost()
      const { cookie } = await sessionOf(host, isEnrolled)
      const login = { username: ann.id, password: ann.password }
      const parked = await park(host, '/login', { cookie, like: login })
      await host.secondStep.endSessions('ann')
      const answer = await parked.finish(login)
      const after = useCookie(browserOf(host), answer.cookie ?? '')
      await getJson(after, '/inside').expect(isEnrolled ? 401 : 200)
      await getJson(after, '/second-step/challenge').expect(isEnrolled ? 200 : 409)
    })

    it('is a first step where the password is given, and a callback looks up the user', async () => {
      const host = makeHost({
        routes: ({ app, passport }) =>
          void app.post('/sign-in', (req, res, next) =>
            passport.authenticate('local', (_error: unknown, user: HostUser) => {
              req.logIn({ ...user } as Express.User, (error) =>
                error ? next(error) : res.json({}),
              )
            })(req, res, next),
          ),
      })
      const { cookie } = await sessionOf(host, isEnrolled)
      const login = { username: ann.id, password: ann.password }
      const parked = await park(host, '/sign-in', { cookie, like: login })
      await host.secondStep.endSessions('ann')
      const answer = await parked.finish(login)
      const after = useCookie(browserOf(host), answer.cookie ?? '')
      await getJson(after, '/second-step/challenge').expect(isEnrolled ? 200 : 409)
    })
  })

  describe(`where nothing has ended, ${how}`, () => {
    for (const [way, run] of Object.entries(WAYS)) {
      // Express-session has no session for a login after destroy().
      if (way.startsWith('destroy()') || way.includes('nobody waits')) continue
      it(`${way} goes on`, async () => {
        const host = hostWith(run)
        const { cookie } = await sessionOf(host, isEnrolled)
        const answer = await postJson(useCookie(browserOf(host), cookie), '/profile', BODY)
        expect(answer.body.code).to.be.oneOf([undefined, 'code-required'])
        expect(answer.status).to.be.oneOf(isEnrolled ? [200, 401] : [200])
      })
    }

    it('req.logIn(req.user) stays in', async () => {
      const host = hostWith(again(same))
      const browser = useCookie(browserOf(host), (await sessionOf(host, isEnrolled)).cookie)
      await postJson(browser, '/profile', BODY).expect(200)
      await getJson(browser, '/inside').expect(200)
    })
  })
}

describe('a login out of a session that began with this request', () => {
  it('signs nobody in once everything has ended since', async () => {
    const host = makeHost({
      routes: ({ app, passport, secondStep }) =>
        void app.post('/twice', passport.authenticate('local'), async (req, res, next) => {
          await secondStep.endSessions('ann')
          req.logIn(req.user as Express.User, (error) => (error ? next(error) : res.json({})))
        }),
    })
    const login = { username: ann.id, password: ann.password }
    const answer = await postJson(browserOf(host), '/twice', login)
    expect([answer.status, answer.body.code]).to.deep.equal([401, 'sign-in-again'])
  })
})
