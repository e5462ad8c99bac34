import type { Policy } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import type { RecordAndPolicy } from '../ports/record-store.js'
import { type Database, documentOf, TABLES } from './knex-client.js'
import { notOnPrimary } from './knex-primary.js'
import { READ_MANY_AND_POLICY, readBoth, readOne, THE_POLICY } from './knex-sql.js'
import type { Dialect } from './knex-statements.js'
import { hashOf } from './list-cursor.js'

/** Few enough for a short statement. */
const AT_ONCE = 100

interface Waiting {
  readonly id: string
  readonly resolve: (found: RecordAndPolicy) => void
  readonly reject: (error: unknown) => void
}

type Read = (userId: string) => Promise<RecordAndPolicy>

/** What has one document under each id. */
const KEPT = [TABLES.records, TABLES.policy, TABLES.serials] as const

export type Find = (table: (typeof KEPT)[number], id: string) => Promise<object | null>

/** Reads one document; null where there is none. */
export function knexFind({ db, dialect, rowsOf, statement }: Database): Find {
  if (dialect === null) {
    return async (table, id) => {
      const [row] = await rowsOf(db(table).select('id', 'document').where({ id }))
      return row === undefined ? null : documentOf(row)
    }
  }
  const send = new Map(KEPT.map((table) => [table, statement(readOne(table, dialect))]))
  return async (table, id) => {
    const [row] = (await send.get(table)?.([id])) ?? []
    if (row === undefined) throw notOnPrimary(dialect)
    const document: unknown = Reflect.get(row, 'document')
    return document === null ? null : documentOf({ id, document })
  }
}

/** The port's `read`. Undefined for a database that the package's own SQL is not written for. */
export function knexRead(database: Database): Read | undefined {
  const { dialect } = database
  if (dialect === null) return undefined
  return dialect === 'postgresql' ? readTogether(database) : readAlone(database, dialect)
}

function readAlone({ statement }: Database, dialect: Dialect): Read {
  const send = statement(readBoth(dialect))
  return async (userId) => {
    const id = hashOf(userId)
    const [row] = await send([id, THE_POLICY])
    if (row === undefined) throw notOnPrimary(dialect)
    const stored = (column: string) => Reflect.get(row, column) as unknown
    return both({ id, record: stored('record'), policy: stored('policy') })
  }
}

/**
 * What requests ask for in the same turn of the event loop is one statement: nothing is read before it is
 * asked for, and a busy app has as many of them fewer as it has requests at once.
 */
function readTogether({ statement }: Database): Read {
  const send = statement(READ_MANY_AND_POLICY)
  let waiting: Waiting[] = []

  async function ask(asked: readonly Waiting[]): Promise<void> {
    try {
      const rows = await send([asked.map(({ id }) => id)])
      const documents = new Map(
        rows.map((row): [unknown, unknown] => [
          Reflect.get(row, 'id'),
          Reflect.get(row, 'document'),
        ]),
      )
      if (!documents.has(THE_POLICY)) throw notOnPrimary('postgresql')
      const storedAs = (id: string) => documents.get(id)
      for (const { id, resolve, reject } of asked) {
        try {
          resolve(both({ id, record: storedAs(id), policy: storedAs(THE_POLICY) }))
        } catch (error) {
          reject(error)
        }
      }
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
  }

  function askAll(): void {
    const asked = waiting
    waiting = []
    for (let from = 0; from < asked.length; from += AT_ONCE) {
      void ask(asked.slice(from, from + AT_ONCE))
    }
  }

  return (userId) =>
    new Promise((resolve, reject) => {
      waiting.push({ id: hashOf(userId), resolve, reject })
      if (waiting.length === 1) setImmediate(askAll)
    })
}

/**
 * @param stored the documents' texts; null where there is none
 * @throws BrokenRecordError where there is something else than the JSON of an object, or no answer
 */
function both(stored: { id: string; record: unknown; policy: unknown }): RecordAndPolicy {
  const { id, record, policy } = stored
  return {
    record: (record === null
      ? null
      : documentOf({ id, document: record })) as SecondStepRecord | null,
    policy: (policy === null
      ? null
      : documentOf({ id: THE_POLICY, document: policy })) as Policy | null,
  }
}
