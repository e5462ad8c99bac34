// A limit or a list whose name is misspelt would be a default one in silence, and so would a value of
// another kind: both are told at start-up.

import { expect } from 'chai'
import type { Redis } from 'ioredis'
import {
  errors,
  type GuardOptions,
  type LimitPasswordOptions,
  type RedisStoreOptions,
  type RequireFreshOptions,
  redisCounters,
  redisStore,
} from '../lib/index.js'
import { makeHost } from './support/host.js'

const { secondStep } = makeHost()
const redis = { mget: () => null, evalsha: () => null } as unknown as Redis

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

  it('is not seen where there is none', () => {
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
  })
})
