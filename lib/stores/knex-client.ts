import type { Knex } from 'knex'
import { BrokenRecordError } from '../domain/parse-record.js'
import { checkCall } from '../errors/check-call.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import { textOf } from '../errors/text-of.js'
import { checkTimeout } from '../ports/check-timeout.js'
import type { KnexInstance, KnexOptions } from './knex-instance.js'
import { type Dialect, dialectOf, isCockroach, Statements, type Value } from './knex-statements.js'

/** The tables; `schema` says in which version they are. */
export const TABLES = {
  records: 'second_step_records',
  policy: 'second_step_policy',
  events: 'second_step_events',
  counters: 'second_step_counters',
  serials: 'second_step_serials',
  schema: 'second_step_schema',
} as const

// Shorter than the time limit of a port, so that this limit ends a query first. Knex then removes
// the connection from its pool, and the next request does not get one that hangs.
const PART_OF_A_CALL = 0.9

/** A database, and how it is asked. */
export interface Database {
  readonly db: Knex
  /** Null for a database that the package's own SQL is not written for. */
  readonly dialect: Dialect | null
  /** Knex takes CockroachDB for PostgreSQL. */
  readonly isCockroach: boolean
  /** Whether it is a transaction of the host's: what fails in it has undone more than one statement. */
  readonly inTransaction: boolean
  /** Milliseconds that a query may take. */
  readonly longest: number
  /** Waits for a query. Its error tells the cause, but no stored values. */
  answerOf(query: TimedQuery): Promise<unknown>
  /** The rows of a query's result. */
  rowsOf(query: TimedQuery): Promise<readonly object[]>
  /**
   * Makes a statement of fixed text, as `Statements` does, and returns what sends it and answers the rows
   * of its result.
   */
  statement(text: string): (values: readonly Value[]) => Promise<readonly object[]>
}

/**
 * @param maker whose options they are, such as `knexStore`
 * @throws ConfigurationError for anything that is no Knex instance, and for a wrong option
 */
export function databaseOf(given: KnexInstance, options: KnexOptions, maker: string): Database {
  const db = knexOf(given, maker)
  checkCall(options, ['timeout'], maker)
  const inTransaction = db.isTransaction === true
  const longest = Math.floor(PART_OF_A_CALL * checkTimeout(options.timeout, `${maker}.`))

  /**
   * A statement that the database aborted for another one's sake has changed nothing, and can be sent again, for as long
   * as one may take. Of a burst only one a round need succeed: under `serializable` the others are aborted. Not so in a
   * transaction: a deadlock in MySQL undoes all of it, and what is sent again would be kept alone.
   */
  async function again<T>(send: (longest: number) => PromiseLike<T>): Promise<T> {
    const began = performance.now()
    for (;;) {
      const left = Math.ceil(longest - (performance.now() - began))
      try {
        return await send(Math.max(1, left))
      } catch (error) {
        if (inTransaction || left <= 0 || !wasAborted(error)) throw error
      }
    }
  }

  async function answerOf(query: TimedQuery): Promise<unknown> {
    try {
      return await again((limit) => query.timeout(limit))
    } catch (error) {
      throw withoutValues(error)
    }
  }

  async function rowsOf(query: TimedQuery): Promise<readonly object[]> {
    const rows = await answerOf(query)
    if (Array.isArray(rows)) return rows
    throw new Error('the database answered no rows')
  }

  const statements = new Statements(db)
  function statement(text: string): (values: readonly Value[]) => Promise<readonly object[]> {
    const one = statements.statement(text)
    return async (values) => {
      try {
        return rowsIn(await again((limit) => one.with(values).timeout(limit)))
      } catch (error) {
        const unnamed = one.withoutName(error, values)
        if (unnamed === null) throw withoutValues(error)
        return rowsIn(await answerOf(unnamed))
      }
    }
  }

  return {
    db,
    dialect: dialectOf(db),
    isCockroach: isCockroach(db),
    inTransaction,
    longest,
    answerOf,
    rowsOf,
    statement,
  }
}

/** The rows of an answer to a statement that Knex has not built: each driver has them elsewhere. */
function rowsIn(answer: unknown): readonly object[] {
  const rows: unknown = Array.isArray(answer) ? answer : Reflect.get(Object(answer), 'rows')
  // MySQL's drivers answer the rows and their fields.
  const found: unknown = Array.isArray(rows) && Array.isArray(rows[0]) ? rows[0] : rows
  if (Array.isArray(found)) return found
  throw new Error('the database answered no rows')
}

/**
 * @param call who needs it, such as `knexStore`
 * @throws ConfigurationError for anything that is no Knex instance
 */
function knexOf(given: KnexInstance, call: string): Knex {
  if (typeof given === 'function' && Reflect.get(given, 'schema') !== undefined) {
    return given as Knex
  }
  throw new ConfigurationError(`${call}() needs a Knex instance, such as ${call}(knex(settings))`)
}

interface TimedQuery {
  timeout(milliseconds: number): PromiseLike<unknown>
}

/** No further query of such a database fits into the time limit. */
export function hasTimedOut(error: unknown): boolean {
  return error instanceof Error && error.name === 'KnexTimeoutError'
}

// PostgreSQL: a deadlock, or a transaction that would have to be run again. MySQL and MariaDB: the same, a lock
// that was waited for too long, and a row that has changed since the snapshot.
const ABORTED = [
  ...['40P01', '40001'],
  ...['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD'],
]

/** Whether the database has undone a statement because of another one: it can be sent again. */
export function wasAborted(error: unknown): boolean {
  return !hasTimedOut(error) && ABORTED.includes(String(Reflect.get(Object(error), 'code')))
}

/** ASCII alone, so that no character set of a database or a connection can change it. */
export function jsonOf(document: object): string {
  return JSON.stringify(document).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/**
 * The object whose JSON is in a row.
 *
 * @throws BrokenRecordError where there is none
 */
export function documentOf(row: object): object {
  const document = readableDocumentOf(row)
  if (document !== null) return document
  throw new BrokenRecordError(`what is stored as ${String(Reflect.get(row, 'id'))} cannot be read`)
}

/** As `documentOf`; null where there is none. */
export function readableDocumentOf(row: object): object | null {
  const text: unknown = Reflect.get(row, 'document')
  const document: unknown = typeof text === 'string' ? parsed(text) : null
  return typeof document === 'object' ? document : null
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Knex puts the whole statement with its values before what the database said. */
function withoutValues(error: unknown): Error {
  const message = textOf(error)
  const name = error instanceof Error ? error.name : 'Error'
  const said = message.slice(message.lastIndexOf(' - ') + 1).replace(/^- /, '')
  const code: unknown = Reflect.get(Object(error), 'code')
  return Object.assign(new Error(`the database: ${said || name}`), { name, code })
}
