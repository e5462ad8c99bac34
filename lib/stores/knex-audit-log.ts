import { DAY_MS } from '../domain/units.js'
import type { AuditEntry, AuditLog } from '../ports/audit-log.js'
import { databaseOf, documentOf, jsonOf, TABLES } from './knex-client.js'
import type { KnexInstance, KnexOptions } from './knex-instance.js'
import { hashOf } from './list-cursor.js'

/** Events about no single user have a key that is no user's hash. */
function keyOf(user: string | null): string {
  return user === null ? '' : hashOf(user)
}

/** Before every id of this time and after: ids begin with their time in twelve digits. */
function idOfTime(time: number): string {
  return Math.floor(time).toString(16).padStart(12, '0')
}

/** Before every id of the day. */
function idOfDay(day: number): string {
  return idOfTime(day * DAY_MS)
}

/** An entry as it stands in the table. */
export function rowOf(entry: AuditEntry) {
  const { id, at, type, user } = entry
  return { id, user_id: keyOf(user), at, type, document: jsonOf(entry) }
}

/**
 * Keeps the audit log in a table of the host's database. Needs only the rights to INSERT and
 * SELECT, so that the app's database account cannot change what it wrote. The host decides how long
 * entries are kept: delete from `second_step_events` where `at` (milliseconds) is too old.
 *
 * @throws ConfigurationError for anything that is no Knex instance, or a wrong option
 */
export function knexAuditLog(knex: KnexInstance, options: KnexOptions = {}): AuditLog {
  const { db, answerOf, rowsOf } = databaseOf(knex, options, 'knexAuditLog')
  return {
    async append(entries) {
      if (entries.length === 0) return
      await answerOf(db(TABLES.events).insert(entries.map(rowOf)))
    },

    async list({ user, cursor, limit, type, from, to }) {
      if (cursor !== null && !/^[0-9a-f]{30}$/.test(cursor)) return null
      const query = db(TABLES.events)
        .select('id', 'document')
        .orderBy('id', 'desc')
        .limit(limit + 1)
      if (user !== null) query.where('user_id', hashOf(user))
      if (cursor !== null) query.where('id', '<', cursor)
      if (from !== undefined) query.where('id', '>=', idOfTime(from))
      if (to !== undefined) query.where('id', '<', idOfTime(to + 1))
      // Entries of before the column have no type in it.
      if (type !== undefined) query.where((one) => one.where({ type }).orWhereNull('type'))
      const entries = (await rowsOf(query)).map((row) => documentOf(row) as AuditEntry)
      const page = entries.slice(0, limit)
      return { entries: page, next: entries.length > limit ? (page.at(-1)?.id ?? null) : null }
    },

    async attemptsOf(day) {
      const count = async (type: AuditEntry['type']) => {
        const rows = await rowsOf(
          db(TABLES.events)
            .count({ attempts: '*' })
            .where({ type })
            .where('id', '>=', idOfDay(day))
            .where('id', '<', idOfDay(day + 1)),
        )
        return Number(Reflect.get(Object(rows[0]), 'attempts'))
      }
      return { accepted: await count('code-accepted'), wrong: await count('wrong-code') }
    },
  }
}
