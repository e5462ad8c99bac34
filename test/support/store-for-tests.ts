import { randomBytes } from 'node:crypto'
import type { Knex } from 'knex'
import {
  type Counter,
  knexStore,
  memoryStore,
  type RecordAndPolicy,
  type RecordStore,
  redisStore,
} from '../../lib/index.js'
import type { WriteWithEntries } from '../../lib/ports/record-store.js'
import { TABLES } from '../../lib/stores/knex-client.js'
import { migrateSecondStep } from '../../lib/stores/knex-migrations.js'
import type { DatabaseKind, TestDatabase } from './databases.js'
import { TEST_HAS_ENDED } from './warnings.js'
import { watched } from './watched-store.js'

/** A store for one host, and what empties it for the next, where that is quicker than another. */
interface Place {
  readonly store: RecordStore
  readonly emptied?: () => Promise<Place>
}

type Make = () => Promise<Place>

/** By the names that TEST_STORE has for them, what is done once, before such stores are made. */
const PREPARATIONS: Readonly<Record<string, () => Promise<Make>>> = {
  memory: async () => async () => ({ store: memoryStore() }),
  redis: inRedis,
  postgresql: async () => inSchemas(await kindOf('PostgreSQL')),
  mariadb: async () => inDatabases(await kindOf('MariaDB')),
  sqlite: async () => inDatabases(await kindOf('SQLite')),
}

const prepared = new Map<string, Promise<Make>>()
const releases: (() => unknown)[] = []
const emptied: Place[] = []
/** The stores of the hosts that the running test has made; null while none runs. */
let ofTest: OfOneHost[] | null = null

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
  beforeEach(() => {
    ofTest = []
  })
  afterEach(async () => {
    const ended = ofTest ?? []
    ofTest = null
    for (const host of ended) emptied.push(...(await host.end()))
  })
  after(async function () {
    this.timeout(60_000)
    for (const release of releases.splice(0).reverse()) await release()
  })
}

/**
 * An empty store for one host: in memory, or where TEST_STORE says (`redis`, `postgresql`,
 * `mariadb`, `sqlite`), so that all of the HTTP tests can be run on each. The store of a host that a
 * test has made ends with the test.
 */
export function storeForTests(): RecordStore {
  const name = nameOfStore()
  if (name === 'memory') return watched(memoryStore())
  const host = new OfOneHost(async () => emptied.pop() ?? (await preparedFor(name))())
  ofTest?.push(host)
  return host.store
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
  const { clientForTests } = await import('./redis-clients.js')
  const server = await redisForTests()
  const client = await clientForTests(server.url)
  releases.push(server.stop, client.end)
  return async () => {
    const store = redisStore(client.redis, { prefix: randomBytes(6).toString('hex') })
    // Tests use the store before their host has opened it.
    await store.open?.({ production: false })
    return { store }
  }
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
    return inTables(db)
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
    return inTables(db)
  }
}

function inTables(db: Knex): Place {
  return {
    store: knexStore(db),
    emptied: async () => {
      const { schema: _, ...filled } = TABLES
      for (const table of Object.values(filled)) await db(table).delete()
      return inTables(db)
    },
  }
}

async function released(kind: DatabaseKind): Promise<TestDatabase> {
  const database = await kind.start()
  releases.push(() => database.stop())
  return database
}

async function readApart(store: RecordStore, userId: string): Promise<RecordAndPolicy> {
  const [record, policy] = await Promise.all([store.find(userId), store.findPolicy()])
  return { record, policy }
}

async function writeApart(
  store: RecordStore,
  ...[record, expected, entries]: Parameters<WriteWithEntries['run']>
): Promise<boolean> {
  const won = await store.write(record, expected)
  if (won) await store.audit?.append(entries)
  return won
}

function findEach(store: RecordStore, userIds: readonly string[]) {
  return Promise.allSettled(userIds.map((userId) => store.find(userId)))
}

function noAttempts(): Promise<never> {
  return Promise.reject(new Error('the log counts no attempts'))
}

function noSerials(): Promise<never> {
  return Promise.reject(new Error('the store keeps no serial numbers'))
}

/** A store that is made when it is used first, and can be taken away from its host. */
class OfOneHost {
  readonly #make: () => Promise<Place>
  #making: Promise<Place> | null = null
  #calls = new Set<Promise<unknown>>()
  #ended = false

  constructor(make: () => Promise<Place>) {
    this.#make = make
    const { find, findPolicy } = this.store
    // A test that replaces one of them means every read.
    this.store.read = async (userId, hint) =>
      this.store.find === find && this.store.findPolicy === findPolicy
        ? this.#call((store) => store.read?.(userId, hint) ?? readApart(store, userId))
        : readApart(this.store, userId)
    const { write, audit } = this.store
    if (audit !== undefined) {
      const run: WriteWithEntries['run'] = (...change) =>
        this.#call((store) => store.writeWith?.run(...change) ?? writeApart(store, ...change))
      Object.assign(this.store, { writeWith: { write, audit, run } })
    }
    this.store.findMany = async (userIds) =>
      this.store.find === find
        ? this.#call((store) => store.findMany?.(userIds) ?? findEach(store, userIds))
        : findEach(this.store, userIds)
  }

  readonly store: RecordStore = {
    find: (userId) => this.#call((store) => store.find(userId)),
    write: (record, expected) => this.#call((store) => store.write(record, expected)),
    findPolicy: () => this.#call((store) => store.findPolicy()),
    writePolicy: (policy, expected) => this.#call((store) => store.writePolicy(policy, expected)),
    list: (query) => this.#call((store) => store.list(query)),
    findSerial: (serial) => this.#call((store) => store.findSerial?.(serial) ?? noSerials()),
    writeSerial: (claim, expected) =>
      this.#call((store) => store.writeSerial?.(claim, expected) ?? noSerials()),
    count: () => this.#call(({ count }) => count?.() ?? Promise.reject(new Error('cannot count'))),
    open: (environment) => this.#call((store) => store.open?.(environment)),
    counters: {
      counter: (name, seconds) => ({
        take: (key, limit) => this.#count(name, seconds, (counter) => counter.take(key, limit)),
        giveBack: (key) => this.#count(name, seconds, (counter) => counter.giveBack(key)),
        taken: (key) => this.#count(name, seconds, (counter) => counter.taken(key)),
      }),
    },
    audit: {
      append: (entries) => this.#call((store) => store.audit?.append(entries)),
      list: async (query) => (await this.#call((store) => store.audit?.list(query))) ?? null,
      attemptsOf: (day) => this.#call(({ audit }) => audit?.attemptsOf?.(day) ?? noAttempts()),
    },
  }

  /** Refuses whatever comes late: it belongs to nobody, and must not reach the next host's records. */
  async end(): Promise<readonly Place[]> {
    this.#ended = true
    if (this.#making === null) return []
    await Promise.allSettled(this.#calls)
    const place = await this.#making
    return place.emptied === undefined ? [] : [await place.emptied()]
  }

  #count<Answer>(
    name: string,
    seconds: number,
    use: (counter: Counter) => Promise<Answer>,
  ): Promise<Answer> {
    return this.#call(({ counters }) => {
      if (counters === undefined) throw new Error('the store counts nothing')
      return use(counters.counter(name, seconds))
    })
  }

  async #call<Answer>(use: (store: RecordStore) => Answer): Promise<Awaited<Answer>> {
    if (this.#ended) throw new Error(TEST_HAS_ENDED)
    this.#making ??= this.#make()
    const call = this.#making.then(({ store }) => use(store))
    this.#calls.add(call)
    try {
      return await call
    } finally {
      this.#calls.delete(call)
    }
  }
}
