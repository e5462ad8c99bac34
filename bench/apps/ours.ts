import { randomBytes } from 'node:crypto'
import knex from 'knex'
import {
  addRoutes,
  type BenchApp,
  type Host,
  json,
  makeBareHost,
  mountSessions,
  type User,
  userOf,
} from './host.js'
import {
  createSecondStep,
  knexStore,
  migrateSecondStep,
  type RecordStore,
  redisStore,
  type SecondStepOptions,
} from './package.js'
import type { Settings } from './settings.js'

/** A machine that is busy with something else must not end a run with 503. */
const PATIENCE = 20_000

/** What differs between the ways of mounting the package. */
interface Ways {
  readonly limitPassword?: boolean
  readonly store?: (host: Host) => RecordStore | Promise<RecordStore>
  readonly more?: object
}

/** The package as its README mounts it. */
export function makeStrict(settings: Settings): Promise<BenchApp> {
  return make(settings, {})
}

/** … with what the guard read kept for a second. */
export function makeBounded(settings: Settings): Promise<BenchApp> {
  return make(settings, { more: { revocation: { within: '1s' } } })
}

/** … with `limitPassword()` before the password step. */
export function makeLimited(settings: Settings): Promise<BenchApp> {
  return make(settings, { limitPassword: true })
}

/** … with the records in PostgreSQL; sessions and counters stay in Redis. */
export function makeOnPostgresql(settings: Settings): Promise<BenchApp> {
  const { databaseUrl } = settings
  if (databaseUrl === undefined) throw new Error('this app needs a database')
  return make(settings, {
    async store() {
      const db = knex({ client: 'pg', connection: databaseUrl, pool: { min: 2, max: 10 } })
      await migrateSecondStep(db)
      return knexStore(db, { timeout: PATIENCE })
    },
  })
}

async function make(settings: Settings, ways: Ways): Promise<BenchApp> {
  const host = await makeBareHost(settings)
  const { app, passport, redis } = host
  const store = (await ways.store?.(host)) ?? redisStore(redis)
  // Once for this Redis, as `npx passport-second-step init` does in production.
  await store.open?.({ production: false })
  const listed = settings.listedUsers ?? 0
  const options = {
    issuer: 'Bench',
    origin: 'http://127.0.0.1',
    keys: [randomBytes(32).toString('base64')],
    store,
    redis,
    passports: [passport],
    users: {
      findById: async (id: string) => userOf(id),
      list: async (query) => page(query, listed),
    },
    roles: ['user', 'admin'],
    timeout: PATIENCE,
    // All requests of a run come from one address; they are counted all the same.
    ipLimit: () => 1_000_000_000,
    ...ways.more,
  } satisfies SecondStepOptions<User>
  const secondStep = createSecondStep<User>(options)
  mountSessions(host)
  app.use(secondStep.guard())
  app.use('/second-step', secondStep.router())
  app.use('/admin/second-step', secondStep.adminRouter())
  if (ways.limitPassword) app.use('/login', json, secondStep.limitPassword())
  addRoutes(host)
  app.use(secondStep.errorHandler())
  return host
}

/** A page of the host's users, in order of a number, as `users.list` gives it. */
function page(query: { cursor?: string | null; limit: number }, listed: number) {
  const from = Number(query.cursor ?? 0)
  const size = Math.max(0, Math.min(query.limit, listed - from))
  const users = Array.from({ length: size }, (_, index) => userOf(`user-${from + index}`))
  return { users, next: from + size < listed ? String(from + size) : null }
}
