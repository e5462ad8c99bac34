import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import type { Knex } from 'knex'
import { knexStore, memoryStore, type RecordStore, redisStore } from '../../lib/index.js'
import { migrateSecondStep } from '../../lib/stores/knex-migrations.js'
import {
  connectTo,
  DATABASES,
  type DatabaseKind,
  POSTGRESQL,
  type TestDatabase,
} from './databases.js'
import { redisForTests } from './example-app.js'

const releases: (() => unknown)[] = []

// Some tests have a host in a process of its own, where no Mocha is.
if (typeof after === 'function') {
  after(async function () {
    this.timeout(60_000)
    for (const release of releases.splice(0).reverse()) await release()
  })
}

/**
 * An empty store for one host: in memory, or where TEST_STORE says (`redis`, `postgresql`,
 * `mariadb`, `sqlite`), so that all of the HTTP tests can be run on each.
 */
export function storeForTests(name = process.env.TEST_STORE || 'memory'): RecordStore {
  if (name === 'memory') return memoryStore()
  if (name === 'redis') return madeAtFirstUse(emptyRedisStore)
  const kind = DATABASES.find((one) => one.name.toLowerCase() === name)
  if (kind === undefined) throw new Error(`TEST_STORE: there is no store "${name}"`)
  return madeAtFirstUse(() => emptyDatabase(kind))
}

let redis: Promise<Redis> | null = null

async function emptyRedisStore(): Promise<RecordStore> {
  redis ??= redisForTests().then((server) => {
    const client = new Redis(server.url)
    releases.push(server.stop, () => client.disconnect())
    return client
  })
  return redisStore(await redis, { prefix: randomBytes(6).toString('hex') })
}

async function emptyDatabase(kind: DatabaseKind): Promise<RecordStore> {
  const db = kind === POSTGRESQL ? await emptySchema() : (await released(kind)).connect()
  await migrateSecondStep(db)
  return knexStore(db)
}

let postgresql: Promise<TestDatabase> | null = null

/** Much faster than a database for each host. */
async function emptySchema(): Promise<Knex> {
  postgresql ??= released(POSTGRESQL)
  const { url } = await postgresql
  const name = `host_${randomBytes(6).toString('hex')}`
  const db = connectTo(url, { searchPath: [name] })
  releases.push(() => db.destroy())
  await db.raw('create schema ??', [name])
  return db
}

async function released(kind: DatabaseKind): Promise<TestDatabase> {
  const database = await kind.start()
  releases.push(() => database.stop())
  return database
}

function madeAtFirstUse(make: () => Promise<RecordStore>): RecordStore {
  let making: Promise<RecordStore> | null = null
  const store = () => {
    making ??= make()
    return making
  }
  const counter = async (name: string, seconds: number) => {
    const { counters } = await store()
    if (counters === undefined) throw new Error('the store counts nothing')
    return counters.counter(name, seconds)
  }
  return {
    find: async (userId) => (await store()).find(userId),
    write: async (record, expected) => (await store()).write(record, expected),
    findPolicy: async () => (await store()).findPolicy(),
    writePolicy: async (policy, expected) => (await store()).writePolicy(policy, expected),
    list: async (query) => (await store()).list(query),
    open: async (environment) => (await store()).open?.(environment),
    counters: {
      counter: (name, seconds) => ({
        take: async (key, limit) => (await counter(name, seconds)).take(key, limit),
        giveBack: async (key) => (await counter(name, seconds)).giveBack(key),
        taken: async (key) => (await counter(name, seconds)).taken(key),
      }),
    },
    audit: {
      append: async (entries) => (await store()).audit?.append(entries),
      list: async (query) => (await (await store()).audit?.list(query)) ?? null,
    },
  }
}
