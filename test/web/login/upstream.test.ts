// The attack: somebody comes from a sign-in provider with the password there alone, with an old sign-in, with
// claims of another login, or while the host's function that reads the claims fails, and hopes that the app takes
// it for a second step; or has a good one, and hopes that it opens what takes a fresh code.

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { ErrorRequestHandler } from 'express'
import { MemoryStore } from 'express-session'
import { memoryStore, type SecondStepOptions, type UpstreamClaims } from '../../../lib/index.js'
import { expectProblem, getJson, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { DAY, HOUR, movedSystem, SECOND } from '../../support/clock.js'
import {
  ann,
  bob,
  type Host,
  type HostOptions,
  type HostUser,
  makeHost,
} from '../../support/host.js'
import { putWaitingReset } from '../../support/lost.js'
import { believesProvider, mountProvider, PROVIDER } from '../../support/provider.js'
import { cookieOf, sessionsOf, useCookie } from '../../support/sessions.js'
import { recordOf, setPolicy } from '../../support/visits.js'
import { warningsDuring } from '../../support/warnings.js'

type Upstream = NonNullable<SecondStepOptions<HostUser>['upstream']>
type SatisfiedBy = Upstream['satisfiedBy']
type Belief = Upstream['believe'][number]

function hostOf(satisfiedBy: SatisfiedBy = believesProvider.satisfiedBy, more: HostOptions = {}) {
  return makeHost({
    ...more,
    options: { upstream: { ...believesProvider, satisfiedBy }, ...more.options },
    routes: (parts) => {
      const { app, passport, secondStep } = parts
      mountProvider(parts, [ann, bob])
      app.post('/payout', secondStep.requireFresh(), (_req, res) => res.json({ paid: true }))
      app.get('/state', (req, res) => res.json(req.secondStep))
      const once = { session: false } as const
      app.post('/once', passport.authenticate('provider', once), (_req, res) => res.json({}))
      app.post('/copy', (req, res, next) => {
        const found = (_error: unknown, user: HostUser) =>
          req.logIn({ ...user }, (error) => (error ? next(error) : res.json({})))
        passport.authenticate('provider', found)(req, res, next)
      })
      more.routes?.(parts)
    },
  })
}

const CHALLENGE = '/second-step/challenge'

const secondsOf = ({ system }: Host) => Math.floor(system.now() / SECOND)

/** The claims of a second step at the provider, right now. */
function goodClaims(host: Host): UpstreamClaims {
  return { issuer: PROVIDER, amr: ['pwd', 'mfa'], authTime: secondsOf(host) }
}

function comeFrom(browser: Browser, claims: unknown, path = '/login/provider', user = ann.id) {
  return postJson(browser, path, { user, claims })
}

/** Asked for the code, and anonymous until then. */
async function expectAsked(browser: Browser, answer: { status: number; body: object }) {
  expect(answer.status).to.equal(200)
  expect(answer.body).to.include({ status: 'code-required' })
  await getJson(browser, '/inside').expect(401, { user: null })
}

async function forgetReset(host: Host): Promise<void> {
  const record = await recordOf(host)
  const next = { ...record, mailReset: null, version: record.version + 1, writeId: 'forgotten' }
  expect(await host.store.write(next, record.version)).to.equal(true)
}

describe('a second step at a provider that the host believes', () => {
  it('signs in, says so, and is in the audit log', async () => {
    const host = hostOf()
    await enrol(host, ann)
    const heard: unknown[] = []
    host.secondStep.events.on('event', ({ type, method, user, ip }) => {
      heard.push({ type, method, user, ip })
    })
    const browser = browserOf(host)
    host.system.advance(700)
    await comeFrom(browser, goodClaims(host)).expect(200, {})
    const { body } = await getJson(browser, '/state').expect(200)
    expect(body).to.deep.equal({
      status: 'verified',
      method: 'upstream',
      amr: ['mfa'],
      authTime: new Date(secondsOf(host) * SECOND).toISOString(),
      freshUntil: null,
      next: null,
      setupDeadline: null,
    })
    const told = { type: 'upstream-accepted', method: 'upstream', user: 'ann', ip: '127.0.0.1' }
    expect(heard).to.deep.equal([told])
    const settings = await getJson(browser, '/second-step/').expect(200)
    expect(settings.body.events[0]).to.include({ type: 'upstream-accepted', method: 'upstream' })
  })

  it('is not fresh: a payout and the settings take a code, which then makes it so', async () => {
    const host = hostOf()
    const { code } = await enrol(host, ann)
    const browser = browserOf(host)
    await comeFrom(browser, goodClaims(host)).expect(200)
    const next = '/second-step/fresh'
    expectProblem(await postJson(browser, '/payout'), 'fresh-code-required', 403, next)
    const refused = await postJson(browser, '/second-step/disable')
    expectProblem(refused, 'malformed-request', 400)
    await postJson(browser, '/second-step/fresh', { code: code() }).expect(200)
    await postJson(browser, '/payout').expect(200)
    const { body } = await getJson(browser, '/state')
    expect(body).to.include({ method: 'totp' })
    expect(body.amr).to.deep.equal(['otp', 'mfa'])
    expect(body.authTime).to.equal(new Date(host.system.now()).toISOString())
  })

  it('is enough for who must set one up by a rule, who is shown no deadline, and not after a reset', async () => {
    const host = hostOf()
    await setPolicy(host, { mode: 'required' })
    const browser = browserOf(host)
    await comeFrom(browser, goodClaims(host)).expect(200, {})
    const { body } = await getJson(browser, '/state')
    expect(body).to.include({ status: 'verified', setupDeadline: null })
    expect((await getJson(browser, '/second-step/')).body).to.include({ mustSetUp: false })
    expectProblem(await postJson(browser, '/payout'), 'setup-required', 403, '/second-step/setup')

    const { code } = await enrol(host, bob)
    const own = browserOf(host)
    await passFirstStep(own, bob)
    await giveCode(own, code()).expect(200)
    host.system.advance(30 * SECOND)
    await postJson(own, '/second-step/reset', { code: code() }).expect(200)
    const again = await comeFrom(browserOf(host), goodClaims(host), '/login/provider', bob.id)
    expect(again.body).to.include({ status: 'setup-required' })
  })

  it('tells tokens of the methods that are believed, also after the login was renewed', async () => {
    const upstream = {
      ...believesProvider,
      believe: [{ issuer: PROVIDER, amr: ['hwk', 'mfa'] }],
    }
    const host = makeHost({
      options: { upstream },
      routes: (parts) => {
        const { app, passport, secondStep } = parts
        mountProvider(parts, [ann])
        app.get('/state', (req, res) => res.json(req.secondStep?.amr))
        app.post('/renewed', (req, res, next) => {
          const { user } = req
          if (user === undefined) return next(new Error('nobody is in'))
          req.logIn(user, (error) => (error ? next(error) : res.json(req.secondStep?.amr)))
        })
        app.post('/password', (req, res, next) => {
          const changed = secondStep.passwordChanged('ann', { except: req })
          changed.then(() => res.json({}), next)
        })
        app.post('/by-callback', (req, res, next) => {
          const found = (_error: unknown, user: HostUser) =>
            req.logIn(user, (error) => (error ? next(error) : res.json(req.secondStep?.amr)))
          passport.authenticate('provider', found)(req, res, next)
        })
      },
    })
    await enrol(host, ann)
    const browser = browserOf(host)
    const claims = { ...goodClaims(host), amr: ['pwd', 'hwk', 'face'] }
    await comeFrom(browser, claims, '/by-callback').expect(200, ['hwk', 'mfa'])
    await getJson(browser, '/state').expect(200, ['hwk', 'mfa'])
    await postJson(browser, '/renewed').expect(200, ['hwk', 'mfa'])
    await postJson(browser, '/password').expect(200)
    await getJson(browser, '/state').expect(200, ['hwk', 'mfa'])
  })

  it('of a provider whose clock is a little ahead counts from now on', async () => {
    const host = hostOf()
    await enrol(host, ann)
    const browser = browserOf(host)
    await comeFrom(browser, { ...goodClaims(host), authTime: secondsOf(host) + 30 }).expect(200, {})
    const { body } = await getJson(browser, '/state')
    expect(body.authTime).to.equal(new Date(host.system.now()).toISOString())
  })

  it('is no stamp that a session with the password keeps, or that outlives its end', async () => {
    const host = hostOf()
    await enrol(host, ann)
    const browser = browserOf(host)
    await comeFrom(browser, goodClaims(host)).expect(200)
    await host.secondStep.endSessions('ann')
    await getJson(browser, '/inside').expect(401)
    await expectAsked(browser, await passFirstStep(browser, ann))
  })

  it('ends the pending login that it takes the place of', async () => {
    const host = hostOf()
    await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(200)
    const [pending] = sessionsOf(host).flatMap(({ secondStep }) => secondStep?.pending ?? [])
    await comeFrom(browser, goodClaims(host)).expect(200, {})
    const { endedLogins } = await recordOf(host)
    expect(endedLogins.map(({ id }) => id)).to.include(pending?.id)
  })
})

describe('a login from a provider asks for the second step', () => {
  const cases: Readonly<Record<string, (good: UpstreamClaims) => unknown>> = {
    'without claims': () => undefined,
    'with a password there alone': (good) => ({ ...good, amr: ['pwd'] }),
    'without a method': ({ issuer, authTime }) => ({ issuer, authTime }),
    'of another issuer': (good) => ({ ...good, issuer: 'https://idp.attacker.example' }),
    'of an hour ago': (good) => ({ ...good, authTime: Number(good.authTime) - 3600 }),
    'of an hour to come': (good) => ({ ...good, authTime: Number(good.authTime) + 3600 }),
  }
  for (const [name, change] of Object.entries(cases)) {
    it(name, async () => {
      const host = hostOf()
      const { code } = await enrol(host, ann)
      const browser = browserOf(host)
      const said = await warningsDuring(async () => {
        await expectAsked(browser, await comeFrom(browser, change(goodClaims(host))))
      })
      expect(said).to.deep.equal([])
      await giveCode(browser, code()).expect(200)
    })
  }

  const nonsense: Readonly<Record<string, (good: UpstreamClaims) => unknown>> = {
    'true: a host that has judged itself': () => true,
    'a text': () => PROVIDER,
    'no issuer': ({ amr, authTime }) => ({ amr, authTime }),
    'methods as one text, which holds others': (good) => ({ ...good, amr: 'no-mfa-here' }),
    'methods in a list of lists': (good) => ({ ...good, amr: [['mfa']] }),
    'a class that is no text': (good) => ({ ...good, acr: ['mfa'] }),
    'no time, as many providers do unless asked': ({ issuer, amr }) => ({ issuer, amr }),
    'a time in milliseconds': (good) => ({ ...good, authTime: Number(good.authTime) * 1000 }),
    'a time as a text': (good) => ({ ...good, authTime: String(good.authTime) }),
    'no number': (good) => ({ ...good, authTime: Number.NaN }),
    'a broken date': (good) => ({ ...good, authTime: new Date(Number.NaN) }),
  }
  for (const [name, change] of Object.entries(nonsense)) {
    it(`where the host's function answers with ${name}, and warns`, async () => {
      const host = hostOf(() => change(goodClaims(host)) as UpstreamClaims)
      await enrol(host, ann)
      const browser = browserOf(host)
      const said = await warningsDuring(async () => {
        await expectAsked(browser, await comeFrom(browser, null))
      })
      expect(said.join()).to.include('`upstream.satisfiedBy`')
    })
  }

  const failures: Readonly<Record<string, SatisfiedBy>> = {
    throws: () => {
      throw new Error('no such token')
    },
    rejects: () => Promise.reject(new Error('no such token')),
    'never answers': () => new Promise(() => undefined),
  }
  for (const [name, fails] of Object.entries(failures)) {
    it(`where the host's function ${name}, and warns`, async () => {
      const host = hostOf(fails, { options: { timeout: 500 } })
      const { code } = await enrol(host, ann)
      const browser = browserOf(host)
      const said = await warningsDuring(async () => {
        await expectAsked(browser, await comeFrom(browser, null))
      })
      expect(said.join()).to.include('upstream.satisfiedBy()')
      await giveCode(browser, code()).expect(200)
    })
  }

  it('where the app logs in another object than the one the claims came with', async () => {
    const host = hostOf()
    await enrol(host, ann)
    const browser = browserOf(host)
    await expectAsked(browser, await comeFrom(browser, goodClaims(host), '/copy'))
  })

  it('without a session: nothing remembers that it was passed', async () => {
    const host = hostOf()
    await enrol(host, ann)
    const answer = await comeFrom(browserOf(host), goodClaims(host), '/once')
    expectProblem(answer, 'code-required', 401)
  })

  it('where the user’s logins were ended while the host’s function was waited for', async () => {
    const host: Host = hostOf(async () => {
      await host.secondStep.endSessions('ann')
      return goodClaims(host)
    })
    await enrol(host, ann)
    const browser = browserOf(host)
    const { body } = await comeFrom(browser, null)
    expect(body).to.include({ status: 'code-required' })
    await getJson(browser, '/inside').expect(401, { user: null })
  })

  // The attack: a sign-in is held back at the provider, or at the host's function, until a rule or the reset has come.
  const meanwhile: Readonly<Record<string, (host: Host) => Promise<void>>> = {
    'a rule says what counts': (host) => setPolicy(host, { accepts: { staff: ['totp'] } }),
    'a reset by mail waits': putWaitingReset,
  }
  for (const [what, happens] of Object.entries(meanwhile)) {
    it(`where ${what} once the host's function has answered; nor does a trusted browser count`, async () => {
      const users = { findById: async () => ({ ...ann, roles: ['staff'] }) }
      const state = { claims: null as UpstreamClaims | null, happens: async (_host: Host) => {} }
      const host: Host = hostOf(
        async () => {
          await state.happens(host)
          return state.claims
        },
        { options: { users, roles: ['staff'], trustedBrowsers: {} } },
      )
      const { code } = await enrol(host, ann)
      const [owner, thief] = [browserOf(host), browserOf(host)]
      await passFirstStep(owner, ann)
      await postJson(owner, CHALLENGE, { code: code(), trust: '1' }).expect(200)
      await owner.post('/logout').expect(200)
      const heard: string[] = []
      host.secondStep.events.on('event', ({ type }) => heard.push(type))

      state.happens = happens
      await expectAsked(owner, await comeFrom(owner, null))
      await setPolicy(host, {})
      await forgetReset(host)
      state.claims = goodClaims(host)
      await expectAsked(thief, await comeFrom(thief, null))
      expect(heard).to.deep.equal([])
    })
  }

  it('or fails, and leaves nothing behind, where the app has answered meanwhile', async () => {
    const failed: string[] = []
    const note: ErrorRequestHandler = (error, _req, _res, _next) => void failed.push(String(error))
    const answersItself: SatisfiedBy = (req) => {
      req.res?.status(503).json({ said: 'too slow' })
      return goodClaims(host)
    }
    const host: Host = hostOf(answersItself, { routes: ({ app }) => app.use(note) })
    await enrol(host, ann)
    const heard: string[] = []
    host.secondStep.events.on('event', ({ type }) => heard.push(type))
    const browser = browserOf(host)
    await comeFrom(browser, null).expect(503, { said: 'too slow' })
    await getJson(browser, '/inside').expect(401, { user: null })
    expect(heard).to.deep.equal([])
    expect(failed).to.have.length(1)
  })
})

describe('`upstream.satisfiedBy`', () => {
  it('is called for nobody who needs no second step, or has passed it here', async () => {
    let calls = 0
    const host = hostOf(() => {
      calls += 1
      return null
    })
    await comeFrom(browserOf(host), null).expect(200, {})
    const { code } = await enrol(host, ann)
    const browser = browserOf(host)
    expect(calls).to.equal(0)
    await passFirstStep(browser, ann).expect(200)
    expect(calls).to.equal(1)
    await giveCode(browser, code()).expect(200)
    await comeFrom(browser, null).expect(200, {})
    expect(calls).to.equal(1)
  })

  it('gets the request, the user and what the strategy said of this login', async () => {
    const got: unknown[] = []
    const host = hostOf((req, user, info) => {
      got.push([req.path, user.id, info])
      return null
    })
    await enrol(host, ann)
    const browser = browserOf(host)
    await comeFrom(browser, { any: 'thing' })
    await passFirstStep(browser, ann)
    expect(got).to.deep.equal([
      ['/login/provider', 'ann', { any: 'thing' }],
      ['/login', 'ann', undefined],
    ])
  })

  // The attack: as for trusted browsers. The owner, who signs in there, would see it at no login.
  it('is not asked while a reset by mail waits: the owner sees it, and the code ends it', async () => {
    const host = hostOf()
    const { code } = await enrol(host, ann)
    await putWaitingReset(host)
    const browser = browserOf(host)
    await expectAsked(browser, await comeFrom(browser, goodClaims(host)))
    await giveCode(browser, code()).expect(200)
    expect((await recordOf(host)).mailReset).to.equal(null)
    await comeFrom(browserOf(host), goodClaims(host)).expect(200, {})
  })

  // The mistake: a provider was broken into, and the host believes it no more. Who came by it stays in.
  it('lets nobody stay in whose provider, or what it said, is no longer believed', async () => {
    const [system, store, sessionStore] = [movedSystem(), memoryStore(), new MemoryStore()]
    const keys = [randomBytes(32).toString('base64')]
    const given = { system, sessionStore }
    const hostBelieving = (believe: readonly Belief[]) =>
      hostOf(believesProvider.satisfiedBy, {
        ...given,
        options: { store, keys, upstream: { ...believesProvider, believe } },
      })
    const host = hostBelieving([{ issuer: PROVIDER, amr: ['mfa'], acr: ['high'] }])
    await enrol(host, ann)
    const comeIn = async () => {
      const claims = { ...goodClaims(host), acr: 'high' }
      return cookieOf(await comeFrom(browserOf(host), claims).expect(200, {}))
    }
    const others: readonly (readonly Belief[])[] = [
      [{ issuer: 'https://other.example', amr: ['mfa'] }],
      [{ issuer: PROVIDER, amr: ['hwk'] }],
      [{ issuer: PROVIDER, amr: ['mfa'], acr: ['highest'] }],
    ]
    for (const believe of others) {
      const browser = useCookie(browserOf(hostBelieving(believe)), await comeIn())
      await getJson(browser, '/inside').expect(401, { user: null })
    }
    const cookie = await comeIn()
    system.advance(DAY)
    const more = hostBelieving([{ issuer: PROVIDER, amr: ['hwk', 'mfa'] }])
    await getJson(useCookie(browserOf(more), cookie), '/inside').expect(200)
  })

  it('may answer with a Date, by a promise, and of an authentication within `maxAge`', async () => {
    const host: Host = makeHost({
      options: {
        upstream: {
          satisfiedBy: async () => {
            const authTime = new Date(host.system.now() - HOUR)
            return { ...goodClaims(host), authTime }
          },
          believe: [{ issuer: PROVIDER, amr: ['mfa'], maxAge: 7200 }],
        },
      },
      routes: (parts) => mountProvider(parts, [ann]),
    })
    await enrol(host, ann)
    const browser = browserOf(host)
    await comeFrom(browser, null).expect(200, {})
    await getJson(browser, '/inside').expect(200)
  })
})
