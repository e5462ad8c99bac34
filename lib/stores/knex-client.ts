import type { Knex } from 'knex'
import { BrokenRecordError } from '../domain/parse-record.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import { textOf } from '../errors/text-of.js'
import type { KnexInstance } from './knex-instance.js'

/** The tables; `schema` says in which version they are. */
export const TABLES = {
  records: 'second_step_records',
  policy: 'second_step_policy',
  events: 'second_step_events',
  counters: 'second_step_counters',
  schema: 'second_step_schema',
} as const

// Shorter than what a port's call may take, so that it is this that ends a query: then Knex takes
// the connection out of its pool, and one that hangs is not given to the next request.
const LONGEST_QUERY = 900

/** @throws ConfigurationError for anything that is no Knex instance */
export function knexOf(given: KnexInstance): Knex {
  if (typeof given === 'function' && Reflect.get(given, 'schema') !== undefined) {
    return given as Knex
  }
  throw new ConfigurationError('the second step needs a Knex instance: knexStore(knex(settings))')
}

interface TimedQuery {
  timeout(milliseconds: number): PromiseLike<unknown>
}

/** Waits for a query. What it rejects with tells why, and nothing of what was to be stored. */
export async function answerOf(query: TimedQuery): Promise<unknown> {
  try {
    return await query.timeout(LONGEST_QUERY)
  } catch (error) {
    throw withoutValues(error)
  }
}

/** Nothing more can be asked of such a database in the time there is. */
export function hasTimedOut(error: unknown): boolean {
  return error instanceof Error && error.name === 'KnexTimeoutError'
}

/** The rows that a query answers with. */
export async function rowsOf(query: TimedQuery): Promise<readonly object[]> {
  const rows = await answerOf(query)
  if (Array.isArray(rows)) return rows
  throw new Error('the database answered no rows')
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
