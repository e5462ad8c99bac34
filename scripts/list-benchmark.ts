import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import type { Knex } from 'knex'
import { listPlaceOf, type RecordStore, type SecondStepRecord } from '../lib/index.js'
import { jsonOf } from '../lib/stores/knex-client.js'
import { migrateSecondStep } from '../lib/stores/knex-migrations.js'
import { knexStore } from '../lib/stores/knex-store.js'
import { hashOf } from '../lib/stores/list-cursor.js'
import { redisStore } from '../lib/stores/redis-store.js'
import { enrolledRecord } from '../lib/testing/documents.js'
import { mailResetOf } from '../lib/testing/listed.js'
import { DATABASES } from '../test/support/databases.js'
import { startRedisServer } from '../test/support/redis-server.js'

// How long a page of 50 takes among 10,000 records and among 1,000,000, in each list. Of either
// number 200 are locked, 200 paused, and 200 have a reset by mail that is due.
// `npx tsx scripts/list-benchmark.ts [redis|postgresql|…]`

const NOW = 1_800_000_000_000
const FEW = 200
const PAGE = 50
const ROUNDS = 300
const FEW_RECORDS = 10_000
const MANY_RECORDS = 1_000_000
const LISTS = ['locked', 'paused', 'mail-resets-due', 'on', 'enrolled', 'all'] as const

interface Measured {
  readonly store: RecordStore
  fill(from: number, to: number): Promise<void>
  stop(): Promise<void>
}

function recordNumber(index: number): SecondStepRecord {
  const record = enrolledRecord(`user-${index}`, 1)
  // Spread, so that the few are not beside each other anywhere.
  const spread = (index * 7919) % 10_000
  const isOneOf = (kind: number) => index < 10_000 && Math.floor(spread / FEW) === kind
  return {
    ...record,
    lockedUntil: isOneOf(0) ? NOW + spread + 1 : null,
    pausedUntil: isOneOf(1) ? Number.MAX_SAFE_INTEGER : null,
    mailReset: isOneOf(2) ? mailResetOf({ usableAt: NOW - spread }) : null,
  }
}

async function inDatabase(name: string): Promise<Measured> {
  const kind = DATABASES.find((one) => one.name.toLowerCase() === name)
  if (kind === undefined) throw new Error(`there is no ${name}`)
  const database = await kind.start()
  const db = database.connect()
  await migrateSecondStep(db)
  return {
    store: knexStore(db),
    async fill(from, to) {
      for (let start = from; start < to; start += 1000) await insert(db, start, start + 1000)
      if (name === 'postgresql') await db.raw('vacuum analyze second_step_records')
      if (name === 'mariadb') await db.raw('analyze table second_step_records')
    },
    stop: () => database.stop(),
  }
}

async function insert(db: Knex, from: number, to: number): Promise<void> {
  const rows = Array.from({ length: to - from }, (_, index) => {
    const record = recordNumber(from + index)
    const { since, lockedUntil, pausedUntil, mailResetDue } = listPlaceOf(record)
    const until = { locked_until: lockedUntil, paused_until: pausedUntil }
    const place = { since, ...until, mail_reset_due: mailResetDue }
    return { id: hashOf(record.userId), version: 1, document: jsonOf(record), ...place }
  })
  await db('second_step_records').insert(rows)
}

async function inRedis(): Promise<Measured> {
  const server = await startRedisServer()
  const redis = new Redis(server.url)
  const store = redisStore(redis)
  await store.open?.({ production: false })
  return {
    store,
    async fill(from, to) {
      for (let start = from; start < to; start += 1000) {
        const records = Array.from({ length: 1000 }, (_, index) => recordNumber(start + index))
        await Promise.all(
          records.map((record) => store.write({ ...record, writeId: randomUUID() }, 0)),
        )
      }
    },
    async stop() {
      redis.disconnect()
      await server.stop()
    },
  }
}

/** Asks for the pages of a list, the first ones again and again; each call gives milliseconds. */
function reader(store: RecordStore, list: (typeof LISTS)[number]): () => Promise<number> {
  let cursor: string | null = null
  return async () => {
    const began = performance.now()
    const page = await store.list({ list, cursor, limit: PAGE, now: NOW })
    const took = performance.now() - began
    if (page?.records.length !== PAGE) throw new Error(`a page of ${page?.records.length} records`)
    cursor = page.next
    return took
  }
}

/** In turn, so that whatever else the machine does slows both alike. */
async function compare(few: () => Promise<number>, many: () => Promise<number>) {
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < 2 * ROUNDS; round += 1) {
    const [short, long] = [await few(), await many()]
    // The first half warms up.
    if (round < ROUNDS) continue
    times[0].push(short)
    times[1].push(long)
  }
  return times.map((all) => all.sort((left, right) => left - right)[ROUNDS / 2] ?? 0)
}

async function benchmark(name: string): Promise<void> {
  const start = () => (name === 'redis' ? inRedis() : inDatabase(name))
  const [few, many] = [await start(), await start()]
  try {
    await few.fill(0, FEW_RECORDS)
    await many.fill(0, MANY_RECORDS)
    for (const list of LISTS) {
      const medians = await compare(reader(few.store, list), reader(many.store, list))
      const [short = 0, long = 0] = medians
      const found = `median ${short.toFixed(2)} ms and ${long.toFixed(2)} ms`
      console.log(`${name}, ${list}: ${found}, ${(long / short).toFixed(2)} times as long`)
    }
  } finally {
    await few.stop()
    await many.stop()
  }
}

for (const name of process.argv.length > 2 ? process.argv.slice(2) : ['postgresql', 'redis']) {
  await benchmark(name)
}
