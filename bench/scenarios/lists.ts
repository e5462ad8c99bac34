import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import type { Knex } from 'knex'
import { listPlaceOf, type RecordStore, type SecondStepRecord } from '../../lib/index.js'
import { jsonOf } from '../../lib/stores/knex-client.js'
import { migrateSecondStep } from '../../lib/stores/knex-migrations.js'
import { knexStore } from '../../lib/stores/knex-store.js'
import { hashOf } from '../../lib/stores/list-cursor.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord } from '../../lib/testing/documents.js'
import { mailResetOf } from '../../lib/testing/listed.js'
import { type DatabaseKind, MARIADB, POSTGRESQL } from '../../test/support/databases.js'
import { startRedisServer } from '../../test/support/redis-server.js'
import { type Spread, spreadOf } from '../measure/statistics.js'
import type { Figure } from '../report/figure.js'
import type { Bench } from './scenario.js'

const NOW = 1_800_000_000_000
const FEW = 200
const PAGE = 50
const BATCH = 1000
const LISTS = ['locked', 'paused', 'mail-resets-due', 'on', 'enrolled', 'all'] as const

/** A store that can be filled with many records. */
interface Measured {
  readonly store: RecordStore
  fill(records: number): Promise<void>
  stop(): Promise<void>
}

/**
 * How long a page of 50 takes the store among 1,000,000 records, beside 10,000, in each list. Of
 * either number 200 are locked, 200 paused, and 200 have a reset by mail that is due.
 */
function lists(kind: 'Redis' | DatabaseKind) {
  const name = kind === 'Redis' ? kind : kind.name
  const start = () => (kind === 'Redis' ? inRedis() : inDatabase(kind))
  return async ({ quick }: Bench): Promise<readonly Figure[]> => {
    const [few, many] = [await start(), await start()]
    try {
      await few.fill(quick ? 2 * BATCH : 10_000)
      await many.fill(quick ? 4 * BATCH : 1_000_000)
      const figures: Figure[] = []
      for (const list of LISTS) {
        const readers = [reader(few.store, list), reader(many.store, list)] as const
        const [short, long] = await compare(...readers, quick ? 5 : 300)
        const what = `${name}, a page of 50 of the list "${list}" among 1,000,000`
        figures.push({ what, unit: 'ms', value: long, beside: [['among 10,000', short]] })
      }
      return figures
    } finally {
      await few.stop()
      await many.stop()
    }
  }
}

export const redisLists = lists('Redis')
export const postgresqlLists = lists(POSTGRESQL)
export const mariadbLists = lists(MARIADB)

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

async function inDatabase(kind: DatabaseKind): Promise<Measured> {
  const database = await kind.start()
  const db = database.connect()
  await migrateSecondStep(db)
  return {
    store: knexStore(db),
    async fill(records) {
      for (let from = 0; from < records; from += BATCH) await insert(db, from)
      if (kind === POSTGRESQL) await db.raw('vacuum analyze second_step_records')
      if (kind === MARIADB) await db.raw('analyze table second_step_records')
    },
    stop: () => database.stop(),
  }
}

async function insert(db: Knex, from: number): Promise<void> {
  const rows = Array.from({ length: BATCH }, (_, index) => {
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
    async fill(records) {
      for (let from = 0; from < records; from += BATCH) {
        const batch = Array.from({ length: BATCH }, (_, index) => recordNumber(from + index))
        await Promise.all(
          batch.map((record) => store.write({ ...record, writeId: randomUUID() }, 0)),
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
    if (page === null || page.records.length === 0) throw new Error(`an empty page of "${list}"`)
    cursor = page.next
    return took
  }
}

/** In turn, so that whatever else the machine does slows both alike. */
async function compare(
  few: () => Promise<number>,
  many: () => Promise<number>,
  rounds: number,
): Promise<[Spread, Spread]> {
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < 2 * rounds; round += 1) {
    const [short, long] = [await few(), await many()]
    // The first half warms up.
    if (round < rounds) continue
    times[0].push(short)
    times[1].push(long)
  }
  return [spreadOf(times[0]), spreadOf(times[1])]
}
