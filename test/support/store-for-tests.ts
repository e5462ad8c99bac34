import { randomBytes } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'
import { Redis } from 'ioredis'
import { knexStore, memoryStore, type RecordStore, redisStore } from '../../lib/index.js'
import { TABLES } from '../../lib/stores/knex-client.js'
import { migrateSecondStep } from '../../lib/stores/knex-migrations.js'
import type { DatabaseKind, TestDatabase } from './databases.js'

type Make = () => Promise<RecordStore>

/** By the names that TEST_STORE has for them, what is done once, before such stores are made. */
const PREPARATIONS: Readonly<Record<string, () => Promise<Make>>> = {
  memory: async () => async () => memoryStore(),
  redis: inRedis,
  postgresql: async () => inSchemas(await kindOf('PostgreSQL')),
  mariadb: async () => inDatabases(await kindOf('MariaDB')),
  sqlite: async () => inDatabases(await kindOf('SQLite')),
}

/** Hears of each host that has such a store: its tests mean something with another one too. */
const asked = channel('store-for-tests')

const prepared = new Map<string, Promise<Make>>()
const releases: (() => unknown)[] = []

// Some tests have a host in a process of its own, where no Mocha is.
if (typeof after === 'function') {
  before(async function () {
    this.timeout(60_000)
    // The first calls take longest, and those of a host have a limit in time.
    if (nameOfStore() === 'memory') return
    const store = storeForTests()
    await store.open?.({ production: false })
    await store.findPolicy()
  })
  after(async function () {
    this.timeout(60_000)
    for (const release of releases.splice(0).reverse()) await release()
  })
}

/**
 * An empty store for one host: in memory, or where TEST_STORE says (`redis`, `postgresql`,
 * `mariadb`, `sqlite`), so that all of the HTTP tests can be run on each.
 */
export function storeForTests(name = nameOfStore()): RecordStore {
  asked.publish(name)
  return name === 'memory' ? memoryStore() : madeAtFirstUse(async () => (await preparedFor(name))())
}

function nameOfStore(): string {
  return process.env.TEST_STORE || 'memory'
}

function preparedFor(name: string): Promise<Make> {
  const prepare = PREPARATIONS[name]
  if (prepare === undefined) throw new Error(`TEST_STORE: there is no store "${name}"`)
  const preparing = prepared.get(name) ?? prepare()
  prepared.set(name, preparing)
  return preparing
}

async function inRedis(): Promise<Make> {
  const { redisForTests } = await import('./example-app.js')
  const server = await redisForTests()
  const client = new Redis(server.url)
  releases.push(server.stop, () => client.disconnect())
  return async () => redisStore(client, { prefix: randomBytes(6).toString('hex') })
}

/** Only who needs a database imports what can start a server. */
async function kindOf(name: DatabaseKind['name']): Promise<DatabaseKind> {
  const { DATABASES } = await import('./databases.js')
  const kind = DATABASES.find((one) => one.name === name)
  if (kind === undefined) throw new Error(`there is no database "${name}"`)
  return kind
}

async function inDatabases(kind: DatabaseKind): Promise<Make> {
  return async () => {
    const db = (await released(kind)).connect()
    await migrateSecondStep(db)
    return knexStore(db)
  }
}

/** Much faster than a database for each host: the tables are made once, and copied from then on. */
async function inSchemas(kind: DatabaseKind): Promise<Make> {
  const { connectTo } = await import('./databases.js')
  const database = await released(kind)
  const origin = database.connect()
  await migrateSecondStep(origin)
  return async () => {
    const schema = `host_${randomBytes(6).toString('hex')}`
    const copies = Object.values(TABLES).map(
      (table) => `create table ${schema}.${table} (like ${table} including all)`,
    )
    const version = `insert into ${schema}.${TABLES.schema} select * from ${TABLES.schema}`
    await origin.raw([`create schema ${schema}`, ...copies, version].join('; '))
    const db = connectTo(database.url, { searchPath: [schema] })
    releases.push(() => db.destroy())
    return knexStore(db)
  }
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
