import type { AuditEntry, AuditQuery } from '../ports/audit-log.js'
import type { Audit } from './audit.js'

/** The filters of a search. Null: any. */
export interface AuditFilters extends Pick<AuditQuery, 'user'> {
  /** Who did it, as records have it. */
  readonly actor: string | null
  readonly type: AuditEntry['type'] | null
  /** `at` of the oldest, in milliseconds. */
  readonly from: number | null
  /** `at` of the newest, in milliseconds. */
  readonly to: number | null
}

/** Where a page begins. */
export interface SearchStart {
  /** The log's own cursor; null: its newest entries. */
  readonly cursor: string | null
  /** The id of the last entry there that an earlier page has. Null: none. */
  readonly after: string | null
}

export interface SearchPage {
  /** Newest first. */
  readonly entries: readonly AuditEntry[]
  readonly next: SearchStart | null
  /** `at` of the last entry that was looked at, where the page is not full and there is more to look at. Else null. */
  readonly reached: number | null
}

/** So many of the log's own pages are looked through for one page. */
export const LOG_PAGES_AT_MOST = 10
const LOG_PAGE = 100

/** Whether the log lists nothing else than what is wanted. */
export function isPlain({ actor, type, from, to }: AuditFilters): boolean {
  return actor === null && type === null && from === null && to === null
}

/**
 * A page of what passes the filters. What the log cannot filter by itself is looked through, within a bound.
 *
 * @param shown what is shown of an entry; null: nothing
 * @returns null for a start that no page has given
 */
export async function searchAudit(
  audit: Pick<Audit, 'page'>,
  filters: AuditFilters,
  { start, limit }: { readonly start: SearchStart | null; readonly limit: number },
  shown: (entry: AuditEntry) => AuditEntry | null,
): Promise<SearchPage | null> {
  const found: AuditEntry[] = []
  let { cursor, after } = start ?? { cursor: null, after: null }
  let reached: number | null = null
  for (let pages = 0; pages < LOG_PAGES_AT_MOST; pages += 1) {
    const page = await audit.page({ ...hintsOf(filters), cursor, limit: LOG_PAGE })
    if (page === null) return null
    for (const entry of page.entries) {
      reached = entry.at
      if ((after !== null && entry.id >= after) || !passes(filters, entry)) continue
      const seen = shown(entry)
      if (seen === null) continue
      const last = found.at(-1)
      if (last !== undefined && found.length >= limit) {
        return { entries: found, next: { cursor, after: last.id }, reached: null }
      }
      found.push(seen)
    }
    cursor = page.next
    after = null
    const isOver = cursor === null || (filters.from !== null && (reached ?? 0) < filters.from)
    if (isOver) return { entries: found, next: null, reached: null }
    if (found.length >= limit) return { entries: found, next: { cursor, after }, reached: null }
  }
  return { entries: found, next: { cursor, after }, reached }
}

function hintsOf({ user, type, from, to }: AuditFilters) {
  return {
    user,
    ...(type === null ? {} : { type }),
    ...(from === null ? {} : { from }),
    ...(to === null ? {} : { to }),
  }
}

function passes({ actor, type, from, to }: AuditFilters, entry: AuditEntry): boolean {
  if (actor !== null && entry.actor.id !== actor) return false
  if (type !== null && entry.type !== type) return false
  return (from === null || entry.at >= from) && (to === null || entry.at <= to)
}
