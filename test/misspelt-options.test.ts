// A limit or a list whose name is misspelt would be a default one in silence, and so would a value of
// another kind: both are told at start-up.

import { expect } from 'chai'
import type { Redis } from 'ioredis'
import {
  errors,
  type GuardOptions,
  knexAuditLog,
  knexCounters,
  knexStore,
  type LimitPasswordOptions,
  memoryAuditLog,
  memoryStore,
  type PasswordChangedOptions,
  type RedisStoreOptions,
  type RequireFreshOptions,
  redisAuditLog,
  redisCounters,
  redisStore,
} from '../lib/index.js'
import { virtualAuthenticator } from '../lib/testing/index.js'
import { ann, makeHost } from './support/host.js'

const { secondStep } = makeHost()
const redis = {
  mgetBuffer: () => null,
  evalsha: () => null,
  pipeline: () => null,
} as unknown as Redis

interface Mistake {
  readonly make: () => unknown
  readonly names: string
  /** What was probably meant. */
  readonly meant?: string
}

const guard = (options: object) => () => secondStep.guard(options as GuardOptions)
const fresh = (options: object) => () => secondStep.requireFresh(options as RequireFreshOptions)
const limit = (options: object) => () => secondStep.limitPassword(options as LimitPasswordOptions)
const counters = (options: object) => () => redisCounters(redis, options)
const store = (options: object) => () => redisStore(redis, options as RedisStoreOptions)
const log = (options: object) => () => redisAuditLog(redis, options)
/** As a host without types calls it. */
const untyped = (call: unknown, ...given: unknown[]) => {
  return () => Reflect.apply(call as () => unknown, undefined, given)
}
const db = Object.assign(() => null, { schema: {}, client: { config: { client: 'pg' } } })
/** What Express hands over where the brackets were forgotten: `app.use(secondStep.guard)`. */
const request = { headers: {}, socket: {}, url: '/', method: 'GET' }
const withoutBrackets = { names: 'was given a request', meant: 'app.use(secondStep.' }

const mistakes: Record<string, Mistake> = {
  'guard({ opens })': { make: guard({ opens: [] }), names: 'guard.opens', meant: 'open' },
  "guard({ open: 'login' })": { make: guard({ open: 'login' }), names: 'guard.open' },
  "guard({ open: '/login' })": { make: guard({ open: '/login' }), names: 'guard.open' },
  "guard({ open: ['login'] })": { make: guard({ open: ['login'] }), names: 'guard.open' },
  "guard({ open: [['/login']] })": { make: guard({ open: [['/login']] }), names: 'guard.open' },
  'guard({ open: {} })': { make: guard({ open: {} }), names: 'guard.open' },
  'requireFresh({ notEnroled })': {
    make: fresh({ notEnroled: 'pass' }),
    names: 'requireFresh.notEnroled',
    meant: 'notEnrolled',
  },
  "requireFresh({ notEnrolled: 'let' })": {
    make: fresh({ notEnrolled: 'let' }),
    names: 'requireFresh.notEnrolled',
  },
  'limitPassword({ acount })': {
    make: limit({ acount: () => 'ann' }),
    names: 'limitPassword.acount',
    meant: 'account',
  },
  'redisStore(redis, { persistant })': {
    make: store({ persistant: true }),
    names: 'redisStore.persistant',
    meant: 'persistent',
  },
  'redisStore(redis, { durability: { replica } })': {
    make: store({ durability: { replica: 1, within: 50 } }),
    names: 'redisStore.durability.replica',
    meant: 'replicas',
  },
  'redisStore(redis, { durability: true })': {
    make: store({ durability: true }),
    names: 'redisStore.durability',
    meant: '{ replicas: 1, within: 50 }',
  },
  'redisStore(redis, { durability: { replicas: 0 } })': {
    make: store({ durability: { replicas: 0, within: 50 } }),
    names: 'redisStore.durability.replicas',
    meant: 'from 1',
  },
  "redisStore(redis, { durability: { replicas: '1' } })": {
    make: store({ durability: { replicas: '1', within: 50 } }),
    names: 'redisStore.durability.replicas',
  },
  'redisStore(redis, { durability: { within: 0 } })': {
    make: store({ durability: { replicas: 1, within: 0 } }),
    names: 'redisStore.durability.within',
    meant: '1 to 500',
  },
  'redisStore(redis, { durability: { within: 501 } })': {
    make: store({ durability: { replicas: 1, within: 501 } }),
    names: 'redisStore.durability.within',
    meant: '1 to 500',
  },
  'redisCounters(redis, { durability: {} })': {
    make: counters({ durability: {} }),
    names: 'redisCounters.durability.replicas',
  },
  'redisCounters() of a client without pipelines': {
    make: () =>
      redisCounters({ evalsha: () => null } as unknown as Redis, {
        durability: { replicas: 1, within: 50 },
      }),
    names: 'redisCounters.durability',
    meant: 'pipelines',
  },
  'redisCounters(redis, { prefx })': {
    make: counters({ prefx: 'acme' }),
    names: 'redisCounters.prefx',
    meant: 'prefix',
  },
  "redisCounters(redis, { prefix: '{acme}' })": {
    make: counters({ prefix: '{acme}' }),
    names: 'prefix "{acme}"',
    meant: 'without braces',
  },
  'redisCounters({})': {
    make: () => redisCounters({} as Redis),
    names: 'redisCounters()',
    meant: 'ioredis',
  },
  'redisStore({})': {
    make: () => redisStore({} as Redis),
    names: 'redisStore()',
    meant: 'ioredis',
  },
  'router({ foo })': {
    make: untyped(secondStep.router, { foo: 1 }),
    names: 'router()',
    meant: 'no options',
  },
  'errorHandler({ foo })': {
    make: untyped(secondStep.errorHandler, { foo: 1 }),
    names: 'errorHandler()',
    meant: 'no options',
  },
  'strategy({ foo })': {
    make: untyped(secondStep.strategy, { foo: 1 }),
    names: 'strategy()',
    meant: 'no options',
  },
  'memoryStore({ foo })': {
    make: untyped(memoryStore, { foo: 1 }),
    names: 'memoryStore()',
    meant: 'no options',
  },
  'memoryAuditLog({ foo })': {
    make: untyped(memoryAuditLog, { foo: 1 }),
    names: 'memoryAuditLog()',
    meant: 'no options',
  },
  'knexStore(db, { prefix })': {
    make: untyped(knexStore, db, { prefix: 'acme' }),
    names: 'knexStore.prefix',
    meant: 'timeout',
  },
  'knexCounters(db, { prefix })': {
    make: untyped(knexCounters, db, { prefix: 'acme' }),
    names: 'knexCounters.prefix',
    meant: 'timeout',
  },
  'knexAuditLog(db, { prefix })': {
    make: untyped(knexAuditLog, db, { prefix: 'acme' }),
    names: 'knexAuditLog.prefix',
    meant: 'timeout',
  },
  'knexCounters()': {
    make: untyped(knexCounters),
    names: 'knexCounters()',
    meant: 'Knex instance',
  },
  'knexAuditLog()': {
    make: untyped(knexAuditLog),
    names: 'knexAuditLog()',
    meant: 'Knex instance',
  },
  'virtualAuthenticator(uri, { digits })': {
    make: untyped(virtualAuthenticator, 'JBSWY3DPEHPK3PXP', { digits: 8 }),
    names: 'virtualAuthenticator(uriOrKey)',
    meant: 'no options',
  },
  'virtualAuthenticator()': {
    make: untyped(virtualAuthenticator),
    names: 'virtualAuthenticator()',
    meant: 'otpauth:',
  },
  'adminRouter({ alow })': {
    make: untyped(secondStep.adminRouter, { alow: () => true }),
    names: 'adminRouter.alow',
    meant: 'allow',
  },
  'adminRouter({ allow: true })': {
    make: untyped(secondStep.adminRouter, { allow: true }),
    names: 'adminRouter.allow',
    meant: 'function',
  },
  "adminRouter({ demandReason: 'yes' })": {
    make: untyped(secondStep.adminRouter, { demandReason: 'yes' }),
    names: 'adminRouter.demandReason',
    meant: 'true or false',
  },
  "limitPassword({ account: 'email' })": {
    make: limit({ account: 'email' }),
    names: 'limitPassword.account',
    meant: 'function',
  },
  'limitPassword((req) => …)': {
    make: untyped(secondStep.limitPassword, () => 'ann'),
    names: 'limitPassword()',
    meant: 'account',
  },
  "guard(['/login'])": { make: guard(['/login']), names: 'guard()', meant: 'open' },
  'guard(null)': { make: untyped(secondStep.guard, null), names: 'guard()', meant: 'open' },
  "requireFresh('pass')": {
    make: untyped(secondStep.requireFresh, 'pass'),
    names: 'requireFresh()',
    meant: 'notEnrolled',
  },
  'app.use(secondStep.guard)': { make: untyped(secondStep.guard, request), ...withoutBrackets },
  'app.use(secondStep.router)': { make: untyped(secondStep.router, request), ...withoutBrackets },
  'app.use(secondStep.errorHandler)': {
    make: untyped(secondStep.errorHandler, request),
    ...withoutBrackets,
  },
  'app.use(secondStep.requireFresh)': {
    make: untyped(secondStep.requireFresh, request),
    ...withoutBrackets,
  },
  "redisStore(redis, { persistent: 'yes' })": {
    make: store({ persistent: 'yes' }),
    names: 'redisStore.persistent',
    meant: 'true or false',
  },
  'redisStore(redis, { prefix: 5 })': {
    make: store({ prefix: 5 }),
    names: 'prefix',
    meant: 'a name',
  },
  'redisAuditLog()': { make: untyped(redisAuditLog), names: 'redisAuditLog()', meant: 'ioredis' },
  'redisAuditLog(redis, { lenght })': {
    make: log({ lenght: 5 }),
    names: 'redisAuditLog.lenght',
    meant: 'length',
  },
  "redisAuditLog(redis, { length: 'all' })": {
    make: log({ length: 'all' }),
    names: 'redisAuditLog.length',
    meant: 'whole number',
  },
  'redisAuditLog(redis, { length: 0 })': {
    make: log({ length: 0 }),
    names: 'redisAuditLog.length',
    meant: 'whole number',
  },
  'redisAuditLog(redis, { days: -1 })': {
    make: log({ days: -1 }),
    names: 'redisAuditLog.days',
    meant: 'whole number',
  },
  'redisStore()': {
    make: () => redisStore(undefined as unknown as Redis),
    names: 'redisStore()',
    meant: 'ioredis',
  },
}

describe('a mistake in the options of a part', () => {
  for (const [call, { make, names, meant = '' }] of Object.entries(mistakes)) {
    it(`is named at start-up: ${call}`, () => {
      expect(make)
        .to.throw(errors.ConfigurationError, names)
        .with.property('message')
        .include(meant)
    })
  }

  it('is not reported if there is none', () => {
    guard({})()
    guard({ open: [] })()
    guard({ open: ['/', '/login', '/auth/github'] })()
    fresh({})()
    fresh({ notEnrolled: 'pass' })()
    fresh({ notEnrolled: 'refuse' })()
    limit({})()
    limit({ account: () => 'ann' })()
    store({})()
    counters({})()
    counters({ prefix: 'acme' })()
    store({ persistent: true, prefix: 'acme' })()
    log({ length: 1000, days: 30 })()
    untyped(secondStep.router)()
    untyped(secondStep.router, undefined)()
    untyped(secondStep.guard, undefined)()
    untyped(memoryStore)()
    virtualAuthenticator('JBSW Y3DP EHPK 3PXP')
  })

  const changed = (options: object) => () =>
    secondStep.passwordChanged('ann', options as PasswordChangedOptions)
  for (const [call, promise, names] of [
    ['passwordChanged(id, { expect })', changed({ expect: request }), 'did you mean except?'],
    ['passwordChanged(id, { except: true })', changed({ except: true }), 'passwordChanged.except'],
    ['passwordChanged(id, { except: null })', changed({ except: null }), 'passwordChanged.except'],
    ['passwordChanged(id, req)', changed(request), '{ except: req }'],
  ] as const) {
    it(`is named when it is called: ${call}`, async () => {
      const error: unknown = await promise().catch((reason: unknown) => reason)
      expect(error).to.be.instanceOf(errors.ConfigurationError)
      expect(error).to.have.property('message').that.includes(names)
    })
  }
})

describe('a call about a user, without an id', () => {
  const calls = {
    passwordChanged: secondStep.passwordChanged,
    emailChanged: secondStep.emailChanged,
    endSessions: secondStep.endSessions,
    status: secondStep.status,
  }
  for (const [name, call] of Object.entries(calls)) {
    it(`is told that it needs one, and nothing of \`describe\`: ${name}()`, async () => {
      const document = { toString: () => "{ _id: '7', passwordHash: '$2b$10$abc' }" }
      const others = [ann.toString, [ann.id], true, Symbol('7'), 2 ** 60, document]
      for (const id of [undefined, null, '', { email: 'ann@acme.example' }, ...others]) {
        const error: unknown = await call(id).catch((reason: unknown) => reason)
        expect(error).to.be.instanceOf(errors.ConfigurationError)
        expect(String(error)).to.include(`${name}() needs the id of a user`)
        expect(String(error))
          .to.include(`${name}(req.user.id)`)
          .and.not.include('describe')
          .and.not.include('passwordHash')
      }
    })
  }
})
