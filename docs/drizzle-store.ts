import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import { bigint, index, integer, json, pgTable, text } from 'drizzle-orm/pg-core'
import {
  listPlaceOf,
  type Policy,
  type RecordStore,
  type SecondStepRecord,
} from 'passport-second-step'

const columns = {
  id: text().primaryKey(), // "user:" and the user's id, or "policy"
  version: integer().notNull(),
  document: json().notNull().$type<SecondStepRecord | Policy>(),
  since: bigint({ mode: 'number' }),
  lockedUntil: bigint({ mode: 'number' }),
  pausedUntil: bigint({ mode: 'number' }),
  mailResetDue: bigint({ mode: 'number' }),
}
const table = pgTable('second_step', columns, ({ id, ...place }) => [
  ...[place.since, place.lockedUntil, place.pausedUntil, place.mailResetDue].map((column) =>
    index().on(column, id),
  ),
])
const { id, version, since, lockedUntil, pausedUntil, mailResetDue } = table

export function drizzleStore(db: NodePgDatabase): RecordStore {
  async function find<Document>(key: string): Promise<Document | null> {
    const [row] = await db.select().from(table).where(eq(id, key))
    return row === undefined ? null : (row.document as Document)
  }

  async function write(
    key: string,
    document: SecondStepRecord | Policy,
    expected: number,
    place = {},
  ) {
    const row = { ...place, version: document.version, document }
    const inserted = db
      .insert(table)
      .values({ id: key, ...row })
      .onConflictDoNothing()
    const updated = db
      .update(table)
      .set(row)
      .where(and(eq(id, key), eq(version, expected)))
    const { rowCount } = await (expected === 0 ? inserted : updated)
    if (rowCount === 1) return true
    const stored = await find<Policy>(key)
    return stored?.writeId === document.writeId // this very write, sent again
  }

  return {
    find: (userId) => find(`user:${userId}`),
    write: (record, expected) =>
      write(`user:${record.userId}`, record, expected, listPlaceOf(record)),
    findPolicy: () => find('policy'),
    writePolicy: (policy, expected) => write('policy', policy, expected),
    async list({ list, cursor, limit, now }) {
      if (cursor !== null && !cursor.startsWith(`${list} user:`)) return null
      const after = cursor?.slice(list.length + 1) ?? ''
      const over = (until: typeof lockedUntil | typeof pausedUntil) =>
        sql`coalesce(${until}, 0) <= ${now}`
      const listed = {
        all: sql`${id} <> 'policy'`,
        enrolled: sql`${since} > 0`,
        on: sql`${since} > 0 and ${over(lockedUntil)} and ${over(pausedUntil)}`,
        paused: sql`${pausedUntil} > ${now} and ${over(lockedUntil)}`,
        locked: sql`${lockedUntil} > ${now}`,
        'mail-resets-due': sql`${mailResetDue} <= ${now}`,
      }[list]
      const query = db
        .select()
        .from(table)
        .where(and(listed, gt(id, after)))
      const rows = await query.orderBy(asc(id)).limit(limit + 1)
      const page = rows.slice(0, limit)
      const next = rows.length > limit ? `${list} ${page.at(-1)?.id}` : null
      return { records: page.map(({ document }) => document as SecondStepRecord), next }
    },
  }
}
