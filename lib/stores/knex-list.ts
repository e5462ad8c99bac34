import type { Knex } from 'knex'
import type { SecondStepRecord } from '../domain/record.js'
import type { RecordList } from '../domain/record-list.js'
import type { RecordPage, RecordQuery } from '../ports/record-store.js'
import { type Database, readableDocumentOf, TABLES } from './knex-client.js'
import { type ListPosition, readCursor, writeCursor } from './list-cursor.js'

const SORTED_BY = {
  all: null,
  enrolled: 'since',
  on: 'since',
  locked: 'locked_until',
  paused: 'paused_until',
  'mail-resets-due': 'mail_reset_due',
} as const satisfies Record<RecordList, string | null>

/** A page of the records, by an index that begins with what the list is sorted by. */
export async function knexPage(database: Database, query: RecordQuery): Promise<RecordPage | null> {
  const { list, cursor, limit } = query
  const after = cursor === null ? null : readCursor(list, cursor)
  if (after === undefined) return null
  // One more than asked for tells whether there is another page.
  const rows = await rowsAfter(database, query, after, limit + 1)
  const page = rows.slice(0, limit)
  const last = rows.length > limit ? page.at(-1) : undefined
  const damaged = page.filter((row) => readableDocumentOf(row) === null)
  const lost = damaged.map((row) => `${TABLES.records} ${positionOf(row).key}`)
  return {
    records: page.flatMap((row) => (readableDocumentOf(row) as SecondStepRecord | null) ?? []),
    next: last === undefined ? null : writeCursor(list, positionOf(last)),
    ...(lost.length === 0 ? {} : { lost }),
  }
}

/** How many records there are. */
export async function knexCount({ db, rowsOf }: Database): Promise<number> {
  const [row] = await rowsOf(db(TABLES.records).count({ records: '*' }))
  const count = Number(Reflect.get(Object(row), 'records'))
  if (Number.isSafeInteger(count)) return count
  throw new Error('the database did not count')
}

/**
 * First the rest of those with the same time, then the later ones: both are ranges of the index on
 * every database, which `(time, id) > (?, ?)` is not.
 */
async function rowsAfter(
  { db, rowsOf }: Database,
  { list, now }: RecordQuery,
  after: ListPosition | null,
  limit: number,
): Promise<readonly object[]> {
  const column = SORTED_BY[list]
  const selected = () =>
    inList(db(TABLES.records).select({ id: 'id', document: 'document' }), list, now)
  if (column === null) {
    return rowsOf(
      selected()
        .where('id', '>', after?.key ?? '')
        .orderBy('id')
        .limit(limit),
    )
  }
  const timed = () => selected().select({ time: column })
  const same =
    after === null
      ? []
      : await rowsOf(
          timed().where(column, after.time).where('id', '>', after.key).orderBy('id').limit(limit),
        )
  if (same.length === limit) return same
  const later = timed()
    .where(column, '>', after?.time ?? -1)
    .orderBy([{ column }, { column: 'id' }])
    .limit(limit - same.length)
  return [...same, ...(await rowsOf(later))]
}

/** A record's state is the first that applies of locked, paused, on. */
function inList(rows: Knex.QueryBuilder, list: RecordList, now: number): Knex.QueryBuilder {
  const over = (column: string) =>
    rows.where((either) => either.whereNull(column).orWhere(column, '<=', now))
  if (list === 'locked') rows.where('locked_until', '>', now)
  if (list === 'paused') rows.where('paused_until', '>', now)
  if (list === 'paused' || list === 'on') over('locked_until')
  if (list === 'on') over('paused_until')
  if (list === 'mail-resets-due') rows.where('mail_reset_due', '<=', now)
  return rows
}

/** Large integers come as text from some drivers. */
function positionOf(row: object): ListPosition {
  return { time: Number(Reflect.get(row, 'time') ?? 0), key: String(Reflect.get(row, 'id')) }
}
