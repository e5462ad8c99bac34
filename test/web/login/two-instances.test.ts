// The attack: an app has two Passport instances, for customers and for staff. A thief has a session of one of
// them that was ended, or whose user must pass a second step by now, and the guard looks at the other one.

import { expect } from 'chai'
import express, { type Request, type RequestHandler } from 'express'
import { Passport } from 'passport'
import { getJson, postJson } from '../../support/answers.js'
import {
  type Browser,
  browserOf,
  type Enrolment,
  enrol,
  giveCode,
  passFirstStep,
  signIn,
} from '../../support/browser.js'
import {
  ann,
  bob,
  type Host,
  type HostOptions,
  type HostParts,
  type HostUser,
  makeHost,
} from '../../support/host.js'
import { editSession, sessionsOf, stampOfSession } from '../../support/sessions.js'
import { warningsDuring } from '../../support/warnings.js'

type Instance = InstanceType<typeof Passport>

/** A second instance, whose users are under a key of their own in the session, or under the usual one. */
function staffPassport(key = 'staff'): Instance {
  const staff = new Passport()
  staff.serializeUser((user, done) => done(null, (user as HostUser).id))
  staff.deserializeUser((id, done) =>
    done(null, [ann, bob].find((user) => user.id === id) ?? false),
  )
  const { session } = Reflect.get(staff, '_strategies')
  for (const part of [staff, Reflect.get(staff, '_sm'), session]) Reflect.set(part, '_key', key)
  return staff
}

/** What the host's own route sees under either property, without asking whether somebody is in. */
const whoIsThere: RequestHandler = (req, res) => {
  const under = (property: string) =>
    (Reflect.get(req, property) as HostUser | undefined)?.id ?? null
  res.json({ user: under('user'), staff: under('staff') })
}

function logInAs(user: HostUser): RequestHandler {
  return (req, res, next) =>
    req.logIn(user, (error) => (error ? next(error) : res.json({ in: true })))
}

interface Mounts {
  readonly key?: 'staff' | 'passport'
  readonly beforeGuard?: (parts: HostParts, staff: Instance) => void
  readonly routes?: (parts: HostParts, staff: Instance) => void
}

/** A host with customers (`req.user`) and staff (`req.staff`). */
function hostWithStaff({ key, beforeGuard, routes }: Mounts): Host {
  const [passport, staff] = [new Passport(), staffPassport(key)]
  const options: HostOptions = {
    passport,
    passports: [passport, staff],
    beforeGuard: (parts) => beforeGuard?.(parts, staff),
    routes: (parts) => {
      parts.app.get('/who', whoIsThere)
      parts.app.post('/login/customer', passport.initialize(), logInAs(ann))
      routes?.(parts, staff)
    },
  }
  const host = makeHost(options)
  host.app.set('env', 'test')
  return host
}

const staffSession = ({ app }: HostParts, staff: Instance) =>
  void app.use(staff.initialize({ userProperty: 'staff' }), staff.session())

/** A session of Ann's, older than the set-up: no stamp, and the record's epoch is higher by now. */
async function revoked(host: Host, key: 'staff' | 'passport'): Promise<Browser> {
  const thief = browserOf(host)
  await passFirstStep(thief, bob)
  editSession(host, (session) => {
    delete session.secondStep
    delete session.passport
    Reflect.set(session, key, { user: 'ann' })
  })
  const owner = makeHost({ options: { store: host.store }, system: host.system })
  await enrol(owner, ann)
  return thief
}

describe('two Passport instances in front of one guard', () => {
  for (const key of ['staff', 'passport'] as const) {
    it(`are told, with the fix: the first one’s users would not be looked at (key ${key})`, async () => {
      const host = hostWithStaff({ key, beforeGuard: staffSession })
      const thief = await revoked(host, 'passport')
      const answer = await getJson(thief, '/who').expect(500)
      expect(answer.text).to.include('mount guard() after the session() of the first')
      expect(answer.text).to.not.include('"user":"ann"')
    })
  }

  it('are told as well where the app has put a fuller user in place of the first one’s', async () => {
    const host = hostWithStaff({
      beforeGuard: ({ app, passport }, staff) => {
        app.use(staff.initialize({ userProperty: 'staff' }), staff.session(), (req, _res, next) => {
          const found: unknown = Reflect.get(req, 'staff')
          if (found) Reflect.set(req, 'staff', { ...Object(found), team: 'support' })
          next()
        })
        app.use(passport.initialize({ userProperty: 'user' }), passport.session())
      },
    })
    const thief = await revoked(host, 'staff')
    const answer = await getJson(thief, '/who').expect(500)
    expect(answer.text).to.include('mount guard() after the session() of the first')
  })

  it('leave no user of either on the request for the host’s error handler', async () => {
    const host = hostWithStaff({
      beforeGuard: staffSession,
      routes: ({ app }) => {
        const shown: (...args: [unknown, Request, Parameters<RequestHandler>[1], unknown]) => void =
          (_error, req, res, _next) => whoIsThere(req, res, () => undefined)
        app.use(shown as never)
      },
    })
    const thief = await revoked(host, 'passport')
    expect((await getJson(thief, '/who')).body).to.deep.equal({ user: null, staff: null })
  })
})

describe('a session() behind the guard', () => {
  const behind: Mounts = {
    routes: (parts, staff) => {
      parts.app.use('/staff', staff.initialize({ userProperty: 'staff' }), staff.session())
      parts.app.get('/staff/who', whoIsThere)
      parts.app.post('/login/staff', staff.initialize({ userProperty: 'staff' }), logInAs(ann))
    },
  }

  it('brings nobody back whose session was ended', async () => {
    const host = hostWithStaff(behind)
    const thief = await revoked(host, 'staff')
    await getJson(thief, '/staff/who').expect(200, { user: null, staff: null })
    expect(sessionsOf(host).filter((session) => 'staff' in session)).to.deep.equal([])
  })

  it('brings nobody whose second step is open by now, and the code gets them in', async () => {
    // In a session with a stamp of before the set-up was asked for: it becomes pending, in place.
    const host = hostWithStaff(behind)
    const browser = browserOf(host)
    const enrolment = await enrol(host, ann)
    await postJson(browser, '/login/staff').expect(200)
    await giveCode(browser, enrolment.code()).expect(200)
    await getJson(browser, '/staff/who').expect(200, { user: null, staff: 'ann' })
    host.system.advance(30_000)
    editSession(host, (session) => {
      const stamp = stampOfSession(session)
      if (stamp === null) return
      session.secondStep = { verified: { ...stamp, method: 'none' } }
    })
    await getJson(browser, '/staff/who').expect(200, { user: null, staff: null })
    await giveCode(browser, enrolment.code()).expect(200)
    await getJson(browser, '/staff/who').expect(200, { user: null, staff: 'ann' })
  })

  it('is a 503 where the record cannot be read', async () => {
    const host = hostWithStaff(behind)
    const thief = await revoked(host, 'staff')
    const { find } = host.store
    host.store.find = () => Promise.reject(new Error('away'))
    await getJson(thief, '/staff/who').expect(503)
    host.store.find = find
  })

  it('reads no record twice where a guard follows it', async () => {
    const host = hostWithStaff({
      routes: (parts, staff) => {
        const { app, secondStep } = parts
        app.use('/staff', staff.initialize({ userProperty: 'staff' }), staff.session())
        app.use('/staff', secondStep.guard())
        app.get('/staff/who', whoIsThere)
        app.post('/login/staff', staff.initialize({ userProperty: 'staff' }), logInAs(bob))
      },
    })
    const browser = browserOf(host)
    await postJson(browser, '/login/staff').expect(200)
    const { find } = host.store
    let reads = 0
    host.store.find = (id) => {
      reads += 1
      return find(id)
    }
    await getJson(browser, '/staff/who').expect(200, { user: null, staff: 'bob' })
    expect(reads).to.equal(1)
  })
})

describe('a user of one instance who has the id of a user of the other', () => {
  // The attack: an employee chooses the user name `ann`, signs in as staff in the browser in which the customer
  // Ann has given a code, and counts as somebody who has given one.
  const employee: HostUser = { ...ann, name: 'Employee' }
  const withBoth: Mounts = {
    routes: ({ app, secondStep }, staff) => {
      app.post('/login/staff', staff.initialize(), logInAs(employee))
      app.post('/again', logInAs(ann))
      app.post('/password', async (req, res) => {
        await secondStep.passwordChanged('ann', { except: req })
        res.json({})
      })
    },
  }

  async function verified(host: Host): Promise<{ browser: Browser; enrolment: Enrolment }> {
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await signIn(browser, ann, enrolment)
    host.system.advance(30_000)
    return { browser, enrolment }
  }

  it('is asked for a code in the session of the other', async () => {
    const { browser } = await verified(hostWithStaff(withBoth))
    const answer = await postJson(browser, '/login/staff').expect(200)
    expect(answer.body.status).to.equal('code-required')
    await getJson(browser, '/who').expect(200, { user: null, staff: null })
  })

  const renewals: Readonly<
    Record<string, (browser: Browser, code: string) => PromiseLike<unknown>>
  > = {
    'a fresh code': (browser, code) =>
      postJson(browser, '/second-step/fresh', { code }).expect(200),
    'a changed password': (browser) => postJson(browser, '/password').expect(200),
  }
  for (const [what, renew] of Object.entries(renewals)) {
    it(`is asked for one too after ${what} in a session of the second instance’s`, async () => {
      const host = hostWithStaff(withBoth)
      const enrolment = await enrol(host, ann)
      const browser = browserOf(host)
      await postJson(browser, '/login/staff').expect(200)
      await giveCode(browser, enrolment.code()).expect(200)
      host.system.advance(30_000)
      editSession(host, (session) => {
        // As where both instances have one key: the user of the second is met through the first.
        session.passport = { user: 'ann' }
      })
      await renew(browser, enrolment.code())
      const answer = await postJson(browser, '/again').expect(200)
      expect(answer.body.status).to.equal('code-required')
    })
  }

  it('is not asked again by the same instance, also with a stamp of version 0.1.0', async () => {
    const host = hostWithStaff(withBoth)
    const { browser } = await verified(host)
    await postJson(browser, '/again').expect(200, { in: true })
    editSession(host, (session) => {
      const stamp = stampOfSession(session)
      if (stamp === null) return
      const { instance: _, ...old } = stamp
      Reflect.set(session, 'secondStep', { verified: old })
    })
    await postJson(browser, '/again').expect(200, { in: true })
    await getJson(browser, '/who').expect(200, { user: 'ann', staff: null })
  })
})

describe('passwordChanged() for a user signed in by the first of two instances', () => {
  it('lets the named session live on', async () => {
    const host = hostWithStaff({
      routes: ({ app, secondStep }, staff) => {
        app.post('/password', staff.initialize(), async (req, res) => {
          await secondStep.passwordChanged('ann', { except: req })
          res.json({})
        })
      },
    })
    const browser = browserOf(host)
    await postJson(browser, '/login/customer').expect(200)
    await postJson(browser, '/password').expect(200)
    await getJson(browser, '/who').expect(200, { user: 'ann', staff: null })
  })
})

describe('a Passport instance that createSecondStep() was not told of', () => {
  const forgotten = staffPassport('clerks')

  async function expectTold(options: HostOptions, ask: (browser: Browser) => PromiseLike<unknown>) {
    const host = makeHost(options)
    host.app.set('env', 'test')
    const answer = (await ask(browserOf(host))) as { status: number; text: string }
    expect(answer.status).to.equal(500)
    expect(answer.text).to.include('`passports`')
  }

  it('is named at the first request, in front of the guard', async () => {
    await expectTold({ beforeGuard: ({ app }) => void app.use(forgotten.session()) }, (browser) =>
      browser.get('/inside'),
    )
  })

  describe('in front of the guard, with a property of its own for its users', () => {
    // The mistake: the instance in charge is a known one again by the time the guard looks, and nobody looks
    // at the user under the other property.
    const inFront = (leaves: 'its mark' | 'nothing'): Host => {
      const chain = express.Router()
      chain.use(forgotten.initialize({ userProperty: 'staff' }), forgotten.session())
      chain.use((req, _res, next) => {
        Reflect.deleteProperty(req, '_userProperty')
        if (leaves === 'nothing') Reflect.deleteProperty(req, '_passport')
        next()
      })
      return makeHost({ initialize: chain })
    }

    it('is warned of once, at the first request', async () => {
      const browser = browserOf(inFront('its mark'))
      const told = await warningsDuring(async () => {
        for (const _ of [1, 2]) await browser.get('/inside').expect(401)
      })
      expect(told).to.have.length(1)
      expect(told[0]).to.include('`passports`')
    })

    it('is warned of once, at the first request that has its user in the session', async () => {
      const host = inFront('nothing')
      const browser = browserOf(host)
      expect(await warningsDuring(() => passFirstStep(browser, bob))).to.deep.equal([])
      editSession(host, (session) => void Reflect.set(session, 'clerks', { user: 'ann' }))
      const told = await warningsDuring(async () => {
        for (const _ of [1, 2]) await getJson(browser, '/inside').expect(200)
      })
      expect(told).to.have.length(1)
      expect(told[0]).to.include('`passports`').and.to.include('session.clerks')
    })
  })

  it('is not warned of where all are known, or a key of the session’s is the host’s', async () => {
    const host = hostWithStaff({ routes: staffSession })
    const browser = browserOf(host)
    const told = await warningsDuring(async () => {
      await passFirstStep(browser, bob)
      for (const kept of [
        { user: 'ann', items: [] },
        { items: [] },
        'user',
        null,
        { user: null },
      ]) {
        editSession(host, (session) => void Reflect.set(session, 'kept', kept))
        await getJson(browser, '/inside').expect(200)
      }
    })
    expect(told).to.deep.equal([])
  })

  it('is named at the first request that meets its session()', async () => {
    await expectTold(
      { routes: ({ app }) => void app.use('/staff', forgotten.session()) },
      (browser) => browser.get('/staff'),
    )
  })

  it('is named at the first login, also of somebody without a second step', async () => {
    await expectTold(
      { routes: ({ app }) => void app.post('/in', forgotten.initialize(), logInAs(bob)) },
      (browser) => browser.post('/in'),
    )
  })

  it('hands no user to a callback that makes a token', async () => {
    // Its strategies are not watched: an enrolled user would have the token for the password alone.
    const handed: unknown[] = []
    await expectTold(
      {
        routes: ({ app }) => {
          const found = (_error: unknown, user: unknown) => void handed.push(user)
          app.post('/token', (req, res, next) => {
            forgotten.authenticate('session', { session: false }, found)(req, res, next)
          })
        },
      },
      (browser) => browser.post('/token'),
    )
    expect(handed).to.deep.equal([])
  })
})
