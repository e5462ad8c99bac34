import { DAY_MS } from '../domain/units.js'
import { checkNoOptions } from '../errors/check-call.js'
import type { AuditEntry, AuditLog } from '../ports/audit-log.js'

const KEPT = 10_000

/** Keeps the newest 10,000 entries in this process, for development and tests. */
export function memoryAuditLog(...none: never[]): AuditLog {
  checkNoOptions(none, 'memoryAuditLog()')
  let newestFirst: readonly AuditEntry[] = []
  return {
    async append(entries) {
      const all = [...structuredClone([...entries]), ...newestFirst]
      newestFirst = all.sort(newerFirst).slice(0, KEPT)
    },
    async list({ user, cursor, limit, type, from = 0, to = Number.POSITIVE_INFINITY }) {
      if (cursor !== null && !/^[0-9a-f]{30}$/.test(cursor)) return null
      const older = newestFirst.filter(
        (entry) =>
          (user === null || entry.user === user) &&
          (cursor === null || entry.id < cursor) &&
          (type === undefined || entry.type === type) &&
          entry.at >= from &&
          entry.at <= to,
      )
      const entries = structuredClone(older.slice(0, limit))
      const next = older.length > limit ? (entries.at(-1)?.id ?? null) : null
      return { entries, next }
    },
    async attemptsOf(day) {
      const count = (type: AuditEntry['type']) =>
        newestFirst.filter((one) => one.type === type && Math.floor(one.at / DAY_MS) === day).length
      return { accepted: count('code-accepted'), wrong: count('wrong-code') }
    },
  }
}

/** By id, like the pages: a clock that goes back must not hide an entry or show it twice. */
function newerFirst(one: AuditEntry, other: AuditEntry): number {
  if (one.id === other.id) return 0
  return one.id < other.id ? 1 : -1
}
