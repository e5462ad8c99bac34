// The attack: a thief has an API token of Ann's, which signs somebody in for one request, and neither her password nor
// a code. At the set-up page the token bound the thief's phone and became a session with both steps, also after Ann had
// reset her second step, which "signs the user out everywhere".

import { expect } from 'chai'
import type { RequestHandler } from 'express'
import { type Passport, Strategy } from 'passport'
import type { Test } from 'supertest'
import { expectProblem, getJson, getPage, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, passFirstStep, signIn } from '../../support/browser.js'
import { ann, bob, type Host, type HostOptions, makeHost } from '../../support/host.js'
import { editSession, sessionsOf } from '../../support/sessions.js'

class BearerStrategy extends Strategy {
  override readonly name = 'bearer'

  override authenticate(req: Parameters<RequestHandler>[0]): void {
    if (req.get('authorization') === 'Bearer of-ann') this.success(ann)
    else this.pass()
  }
}

type Instance = InstanceType<typeof Passport>

function byToken(passport: Instance, options: object = {}): RequestHandler {
  passport.use(new BearerStrategy())
  return passport.authenticate('bearer', { session: false, ...options }) as RequestHandler
}

const behind = (options?: object): HostOptions => ({
  mountFirst: ({ app, passport }) => void app.use(byToken(passport, options)),
})
const inFront: HostOptions = {
  beforeGuard: ({ app, passport }) => void app.use(byToken(passport)),
}

function hostWith(options: HostOptions): Host {
  const users = [ann, bob]
  return makeHost({
    ...options,
    options: {
      roles: ['user', 'admin'],
      users: { findById: async (id) => users.find((user) => user.id === id) ?? null },
      ...options.options,
    },
    mount: ({ app, secondStep }) =>
      void app.use('/admin/second-step', secondStep.adminRouter({ allow: () => true })),
    routes: ({ app, passport, secondStep }) => {
      app.all('/payout', secondStep.requireFresh(), (_req, res) => res.json({ paid: true }))
      const lax = secondStep.requireFresh({ notEnrolled: 'pass' })
      app.post('/payout-of-anybody', lax, (_req, res) => res.json({ paid: true }))
      passport.use(secondStep.strategy())
      app.post('/own-challenge', (req, res, next) => {
        const answer = (error: unknown, user: unknown, info: unknown) =>
          error ? next(error) : res.json({ in: Boolean(user), ...Object(info) })
        passport.authenticate('second-step', answer)(req, res, next)
      })
      app.post('/password', async (req, res) => {
        await secondStep.passwordChanged('ann', { except: req })
        res.json({})
      })
    },
  })
}

interface Visit {
  readonly host: Host
  readonly browser: Browser
}

const withToken = (browser: Browser): Browser => browser.set('Authorization', 'Bearer of-ann')

function tokenOnly(host: Host): Visit {
  return { host, browser: withToken(browserOf(host)) }
}

async function besideBob(options: HostOptions): Promise<Visit> {
  const host = hostWith(options)
  const browser = browserOf(host)
  await passFirstStep(browser, bob).expect(302)
  return { host, browser: withToken(browser) }
}

async function tokenAfterReset(options: HostOptions): Promise<Visit> {
  const host = hostWith(options)
  const enrolment = await enrol(host, ann)
  const owner = browserOf(host)
  await signIn(owner, ann, enrolment)
  host.system.advance(30_000)
  await postJson(owner, '/second-step/reset', { code: enrolment.code() }).expect(200)
  return tokenOnly(host)
}

async function ofSession(change: (host: Host) => void = () => undefined): Promise<Visit> {
  const host = hostWith({})
  const browser = browserOf(host)
  await passFirstStep(browser, ann).expect(302)
  change(host)
  return { host, browser }
}

const olderThanThePackage = (host: Host) =>
  editSession(host, (session) => {
    delete session.secondStep
  })

/** Who is signed in by the session. */
const sessions: Record<string, () => Promise<Visit>> = {
  'a session': () => ofSession(),
  'a session older than the package': () => ofSession(olderThanThePackage),
  'a session older than the package, whose user the app has replaced by a fuller one': async () => {
    const host = hostWith({
      beforeGuard: ({ app }) =>
        void app.use((req, _res, next) => {
          if (req.user !== undefined) Reflect.set(req, 'user', { ...req.user })
          next()
        }),
    })
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(302)
    olderThanThePackage(host)
    return { host, browser }
  },
}

/** The same, with a token beside the session. */
for (const [place, options] of Object.entries({ behind: behind(), 'in front of': inFront })) {
  sessions[`a session, and by a token ${place} the guard as well`] = async () => {
    const host = hostWith(options)
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(302)
    return { host, browser: withToken(browser) }
  }
}

/** Who is signed in for one request, of a user without a second step. */
const tokens: Readonly<Record<string, () => Promise<Visit>>> = {
  'a token behind the guard': async () => tokenOnly(hostWith(behind())),
  'a token in front of the guard': async () => tokenOnly(hostWith(inFront)),
  'a token in front of the guard, which goes by what it has read a moment ago': async () => {
    const visit = tokenOnly(hostWith({ ...inFront, options: { revocation: { within: '1m' } } }))
    await getJson(visit.browser, '/inside').expect(200)
    return visit
  },
  'a token behind the guard, beside the session of another user': () => besideBob(behind()),
  'a token in front of the guard, beside the session of another user': () => besideBob(inFront),
}

/** The same of a user who has, or had, a second step. */
const tokensOfEnrolled: typeof tokens = {
  'a token behind the guard, of a user with a second step': async () => {
    const host = hostWith(behind({ secondStep: false }))
    await enrol(host, ann)
    return tokenOnly(host)
  },
  'a token in front of the guard, of a user with a second step': async () => {
    const host = hostWith(inFront)
    await enrol(host, ann)
    return tokenOnly(host)
  },
  'a token behind the guard, of a user who has reset it': () =>
    tokenAfterReset(behind({ secondStep: false })),
  'a token in front of the guard, of a user who has reset it': () => tokenAfterReset(inFront),
}

type Row = readonly [method: 'get' | 'post', path: string, inSession: number | string]

/** The outcome for a session: a status of those who are let in, or the code of the problem. */
const rows: readonly Row[] = [
  ['get', '/second-step/', 200],
  ['get', '/second-step/challenge', 'already-signed-in'],
  ['post', '/second-step/challenge', 'already-signed-in'],
  ['get', '/second-step/fresh', 'not-enrolled'],
  ['post', '/second-step/fresh', 'not-enrolled'],
  ['get', '/second-step/setup', 200],
  ['post', '/second-step/setup', 'malformed-request'],
  ['post', '/second-step/change-key', 'not-enrolled'],
  ['post', '/second-step/show-key', 'not-enrolled'],
  ['post', '/second-step/backup-codes', 'not-enrolled'],
  ['post', '/second-step/backup-codes/saved', 200],
  ['post', '/second-step/reset', 'not-enrolled'],
  ['post', '/second-step/disable', 'not-enrolled'],
  ['get', '/second-step/lost', 'already-signed-in'],
  ['post', '/second-step/lost', 'already-signed-in'],
  ['post', '/second-step/lost/cancel', 'switched-off'],
  ['get', '/admin/second-step/users', 'setup-required'],
  ['get', '/admin/second-step/users/bob', 'setup-required'],
  ['post', '/admin/second-step/users/bob/pause', 'setup-required'],
  ['get', '/admin/second-step/policy', 'setup-required'],
  ['post', '/admin/second-step/policy', 'setup-required'],
  ['get', '/admin/second-step/events', 'setup-required'],
]

const ask = (browser: Browser, method: 'get' | 'post', path: string): Test =>
  method === 'get' ? getJson(browser, path) : postJson(browser, path)

const stateOf = async ({ host }: Visit) => [await host.store.find('ann'), sessionsOf(host)]

for (const [who, arrive] of Object.entries(sessions)) {
  describe(`a visitor who is signed in by ${who}`, () => {
    let visit: Visit

    beforeEach(async () => {
      visit = await arrive()
    })

    for (const [method, path, outcome] of rows) {
      it(`gets ${outcome} at ${method.toUpperCase()} ${path}`, async () => {
        const { status, body } = await ask(visit.browser, method, path)
        expect(typeof outcome === 'number' ? status : body.code).to.equal(outcome)
      })
    }

    it('is not fresh, keeps their session at a new password, and has no pending login', async () => {
      const { browser } = visit
      expectProblem(await postJson(browser, '/payout'), 'setup-required', 403, '/second-step/setup')
      await postJson(browser, '/payout-of-anybody').expect(200, { paid: true })
      const { body } = await postJson(browser, '/own-challenge', { code: '123456' })
      expect(body.code).to.equal('already-signed-in')
      await postJson(browser, '/password').expect(200)
      await getJson(browser, '/inside').expect(200)
    })
  })
}

for (const [who, arrive] of Object.entries({ ...tokens, ...tokensOfEnrolled })) {
  describe(`a visitor who is signed in by ${who}`, () => {
    let visit: Visit
    let before: unknown

    beforeEach(async () => {
      visit = await arrive()
      before = await stateOf(visit)
    })

    for (const [method, path] of rows) {
      it(`is not signed in at ${method.toUpperCase()} ${path}, and nothing is written`, async () => {
        expectProblem(await ask(visit.browser, method, path), 'not-signed-in', 401)
        expect(await stateOf(visit)).to.deep.equal(before)
      })
    }

    it('is led to the sign-in by a page', async () => {
      const page = await getPage(visit.browser, '/second-step/setup').expect(401)
      expect(page.text).to.include('href="/login"')
      expect(await stateOf(visit)).to.deep.equal(before)
    })

    it('has no pending login for the strategy', async () => {
      const { body } = await postJson(visit.browser, '/own-challenge', { code: '123456' })
      expect(body.code).to.equal('not-signed-in')
      expect(await stateOf(visit)).to.deep.equal(before)
    })

    it('is refused by requireFresh(), and nothing is written', async () => {
      for (const ask of [postJson, getPage]) {
        const { status } = await ask(visit.browser, '/payout')
        expect(status).to.be.oneOf([401, 403])
      }
      expect(await stateOf(visit)).to.deep.equal(before)
    })

    it('gets no session by a new password', async () => {
      const [, sessionsBefore] = (await stateOf(visit)) as [unknown, unknown]
      await postJson(visit.browser, '/password').expect(200)
      expect(sessionsOf(visit.host)).to.deep.equal(sessionsBefore)
    })
  })
}

for (const [who, arrive] of Object.entries(tokensOfEnrolled)) {
  it(`requireFresh({ notEnrolled: 'pass' }) refuses ${who}`, async () => {
    const { browser } = await arrive()
    const { status } = await postJson(browser, '/payout-of-anybody')
    expect(status).to.be.oneOf([401, 403])
  })
}

/** The stamp of nobody who is signed in: as an app signs somebody out by hand. */
const withoutUser = (host: Host) =>
  editSession(host, (session) => {
    delete session.passport
  })

/** What a session leaves behind that is not, or no longer, of the token's user. None of it makes one of the token. */
const remains: typeof tokens = {
  'the session of another user that is older than the package': async () => {
    const visit = await besideBob(inFront)
    olderThanThePackage(visit.host)
    return visit
  },
  'the stamp of a session that the app has emptied of its user': async () => {
    const host = hostWith(inFront)
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(302)
    withoutUser(host)
    return { host, browser: withToken(browser) }
  },
  'the user of a session that was ended': async () => {
    const host = hostWith(behind())
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(302)
    await host.secondStep.endSessions('ann')
    return { host, browser: withToken(browser) }
  },
  'the user of a session that another one has just taken over': async () => {
    const host = hostWith({
      mountFirst: ({ app, passport }) => {
        app.use((req, _res, next) =>
          req.get('authorization') === undefined ? next() : req.logIn(bob, next),
        )
        app.use(byToken(passport))
      },
    })
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(302)
    return { host, browser: withToken(browser) }
  },
}

describe('a token makes no session of', () => {
  for (const [what, arrive] of Object.entries(remains)) {
    it(what, async () => {
      const { browser } = await arrive()
      expectProblem(await getJson(browser, '/second-step/setup'), 'not-signed-in', 401)
    })
  }
})

/** Those that change nothing of anybody's whom a token could name. */
const OPEN: readonly string[] = [
  'POST /second-step/cancel',
  'GET /second-step/lost/cancelled',
  'GET /second-step/lost/:token',
  'POST /second-step/lost/:token',
  'GET /second-step/lost/:token/cancel',
  'POST /second-step/lost/:token/cancel',
]

/** The addresses of forms, which lead a page to where the form is. */
const isFormAddress = (status: number) => [303, 404].includes(status)

describe('every route of the two routers', () => {
  it('asks for the session, unless it is for everybody', async () => {
    const { host, browser } = tokenOnly(hostWith(behind()))
    const routers = {
      '/second-step': host.secondStep.router(),
      '/admin/second-step': host.secondStep.adminRouter(),
    }
    const routes = Object.entries(routers).flatMap(([at, { stack }]) =>
      stack.flatMap(({ route }) =>
        route === undefined
          ? []
          : route.stack.map(({ method }) => ({ method, path: `${at}${route.path}` })),
      ),
    )
    expect(routes.length).to.be.above(40)
    const open: string[] = []
    for (const { method, path } of routes) {
      const asked = browser[method as 'get' | 'post' | 'put'](path.replaceAll(/:\w+/g, 'bob'))
      const { status, body } = await asked
        .set('Accept', 'application/json')
        .set('Content-Type', 'application/json')
      if (body.code === 'not-signed-in' || (method === 'get' && isFormAddress(status))) continue
      open.push(`${method.toUpperCase()} ${path}`)
    }
    expect(open.filter((route) => !OPEN.includes(route))).to.deep.equal([])
  })
})
