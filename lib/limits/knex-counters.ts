import type { Knex } from 'knex'
import { ConfigurationError } from '../errors/configuration-error.js'
import type { Counter, Counters, Place } from '../ports/counters.js'
import { type Database, databaseOf, TABLES } from '../stores/knex-client.js'
import type { KnexInstance, KnexOptions } from '../stores/knex-instance.js'
import { checkWindow, counterHash } from './counter-key.js'
import { commitsAlone } from './knex-commit.js'
import { sweeper } from './knex-sweeper.js'
import { takeAllInPostgresql } from './knex-take-all.js'

/**
 * Takes one place and returns how many are taken then. Null if there was none. In one statement.
 */
type TakeOne = (place: {
  readonly id: string
  readonly limit: number
  readonly window: number
}) => Promise<number | null>

interface Clock {
  /** Milliseconds since 1970 by the database's clock, in SQL: the same for all processes. */
  readonly now: string
  readonly takeOne: (database: Database, now: string) => TakeOne
}

const CLOCKS: Readonly<Record<string, Clock>> = {
  postgresql: {
    now: 'cast(extract(epoch from statement_timestamp()) * 1000 as bigint)',
    takeOne: takeReturning,
  },
  sqlite3: {
    now: "cast((julianday('now') - 2440587.5) * 86400000 as integer)",
    takeOne: takeReturning,
  },
  mysql: {
    now: "timestampdiff(microsecond, '1970-01-01', utc_timestamp(3)) div 1000",
    takeOne: takeByInsertId,
  },
}

/**
 * Counts in a table of the host's PostgreSQL, MariaDB, MySQL or SQLite, for any number of processes:
 * what `knexStore` does by itself. The table is made with the others, by
 * `npx passport-second-step migrate` or by `migrateSecondStep`; rows whose window is over are removed
 * now and then.
 *
 * @throws ConfigurationError for anything that is no Knex instance, or one of another database, or a
 *   wrong option
 */
export function knexCounters(knex: KnexInstance, options: KnexOptions = {}): Counters {
  const database = databaseOf(knex, options, 'knexCounters')
  const { db, answerOf, rowsOf } = database
  const { now, takeOne } = clockOf(db)
  const take = takeOne(database, now)
  const sweep = sweeper(database, now)
  const alone = commitsAlone(database)

  async function waitOf(id: string): Promise<number> {
    const [row] = await rowsOf(
      db(TABLES.counters)
        .where({ id })
        .select({ wait: db.raw(`?? - ${now}`, ['ends']) }),
    )
    return Math.max(1, Number(Reflect.get(Object(row), 'wait') ?? 0))
  }

  /** The row of a count whose window has not ended. */
  function live(id: string, window: number) {
    const rows = db(TABLES.counters).where({ id })
    return rows.whereRaw(`not ${over(now)}`, overOf('ends', window))
  }

  function counterOf(name: string, seconds: number): Counter {
    const idOf = (key: string) => rowId({ name, key })
    const window = seconds * 1000
    return {
      async take(key, limit) {
        // Also refuses values that are not numbers.
        if (!(limit >= 1)) return { taken: false, left: 0, retryAfter: window }
        const id = idOf(key)
        const places = Math.min(Math.floor(limit), Number.MAX_SAFE_INTEGER)
        sweep()
        const taken = await take({ id, limit: places, window })
        if (taken !== null) return { taken: true, left: places - taken, retryAfter: 0 }
        return { taken: false, left: 0, retryAfter: await waitOf(id) }
      },

      async giveBack(key) {
        // After the window's end, a place given back would add one to the limit.
        const taken = live(idOf(key), window).where('taken', '>', 0)
        if (alone !== null) taken.whereRaw(alone)
        await answerOf(taken.decrement('taken', 1))
      },

      async taken(key) {
        const [row] = await rowsOf(live(idOf(key), window).select('taken'))
        return row === undefined ? 0 : Number(Reflect.get(row, 'taken'))
      },
    }
  }

  function counter(name: string, seconds: number): Counter {
    checkWindow(seconds)
    return counterOf(name, seconds)
  }
  // CockroachDB takes no statement that inserts into one table twice (0A000).
  if (database.dialect !== 'postgresql' || database.isCockroach) return { counter }

  const takeAll = takeAllInPostgresql(database, now, rowId)
  return {
    counter,
    async takeAll(wanted, back) {
      sweep()
      return takeAll(wanted, back)
    },
  }
}

/** The row of a count. */
function rowId({ name, key }: Pick<Place, 'name' | 'key'>): string {
  return counterHash(JSON.stringify([name, key]))
}

function clockOf(db: Knex): Clock {
  const name = String(Reflect.get(Object(db.client), 'dialect'))
  const clock = Object.hasOwn(CLOCKS, name) ? CLOCKS[name] : undefined
  if (clock !== undefined) return clock
  throw new ConfigurationError(
    `knexCounters() knows PostgreSQL, MariaDB, MySQL and SQLite, not ${name}: give \`redis\``,
  )
}

/**
 * Whether a count's window is over, by `overOf`. One that ends later than any window can has been dated
 * by a clock that was ahead: it must not refuse the right password for as long as that.
 */
function over(now: string): string {
  return `(?? <= ${now} or ?? > ${now} + ?)`
}

function overOf(ends: string, window: number): readonly [string, string, number] {
  return [ends, ends, 2 * window]
}

/** For databases whose statements return the written row, and no row if they wrote none. */
function takeReturning(database: Database, now: string): TakeOne {
  const { db, rowsOf } = database
  const alone = commitsAlone(database)
  const answered = alone === null ? 'taken' : ['taken', db.raw(alone)]
  const [taken, ends] = [`${TABLES.counters}.taken`, `${TABLES.counters}.ends`]
  const isOver = over(now)
  return async ({ id, limit, window }) => {
    const overBy = overOf(ends, window)
    const [row] = await rowsOf(
      db(TABLES.counters)
        .insert({ id, taken: 1, ends: db.raw(`${now} + ?`, [window]) })
        .onConflict('id')
        .merge({
          taken: db.raw(`case when ${isOver} then 1 else ?? + 1 end`, [...overBy, taken]),
          ends: db.raw(`case when ${isOver} then excluded.ends else ?? end`, [...overBy, ends]),
        })
        .where((free) => free.whereRaw(isOver, overBy).orWhereRaw('?? < ?', [taken, limit]))
        .returning(answered),
    )
    return row === undefined ? null : Number(Reflect.get(row, 'taken'))
  }
}

/**
 * MySQL and MariaDB answer an update with no row, but with what `last_insert_id(…)` was last given in
 * it. Assignments are made from left to right: `taken` by the old `ends`, then `ends`.
 */
function takeByInsertId({ db, answerOf }: Database, now: string): TakeOne {
  const statement = `insert into ?? (id, taken, ends) values (?, last_insert_id(1), ${now} + ?)
on duplicate key update
  taken = case
    when ${over(now)} then last_insert_id(1)
    when taken < ? then last_insert_id(taken + 1)
    else taken + last_insert_id(0)
  end,
  ends = case when ${over(now)} then ${now} + ? else ends end`
  return async ({ id, limit, window }) => {
    const overBy = overOf('ends', window)
    const values = [TABLES.counters, id, window, ...overBy, limit, ...overBy, window]
    const answer = await answerOf(db.raw(statement, values))
    const [header]: readonly unknown[] = Array.isArray(answer) ? answer : []
    const taken = Number(Reflect.get(Object(header), 'insertId') ?? Number.NaN)
    if (!Number.isSafeInteger(taken)) throw new Error('the database answered nonsense to a count')
    return taken === 0 ? null : taken
  }
}
