import type { AuditEntry } from '../ports/audit-log.js'
import type { Audit } from './audit.js'
import { type AuditFilters, isPlain, type SearchStart, searchAudit } from './audit-search.js'

/** What a page of events is asked for. */
export interface EventQuery {
  readonly filters: AuditFilters
  /** `next` of the page before; null: the newest. */
  readonly cursor: string | null
  /** 1 to 100 */
  readonly limit: number
}

export interface EventPage {
  /** Newest first. */
  readonly entries: readonly AuditEntry[]
  readonly next: string | null
  /** How far back was looked, where that ended the page: `at` of an entry. Else null. */
  readonly reached: number | null
}

/**
 * A page of events.
 *
 * @param shown what is shown of an entry; null: nothing
 * @returns null for a cursor that no page has given
 */
export async function eventPage(
  audit: Pick<Audit, 'page'>,
  { filters, cursor, limit }: EventQuery,
  shown: (entry: AuditEntry) => AuditEntry | null,
): Promise<EventPage | null> {
  if (isPlain(filters)) {
    const found = await audit.page({ user: filters.user, cursor, limit })
    if (found === null) return null
    const entries = found.entries.flatMap((entry) => shown(entry) ?? [])
    return { entries, next: found.next, reached: null }
  }
  const start = cursor === null ? null : readStart(cursor)
  if (start === undefined) return null
  const found = await searchAudit(audit, filters, { start, limit }, shown)
  return found === null ? null : { ...found, next: writeStart(found.next) }
}

/** The start of a page of what passes a filter, as text for addresses. */
function writeStart(start: SearchStart | null): string | null {
  if (start === null) return null
  return Buffer.from(JSON.stringify([start.cursor, start.after])).toString('base64url')
}

/** @returns undefined for a cursor that no such page has given */
function readStart(text: string): SearchStart | undefined {
  const [cursor, after] = partsOf(text)
  if (!isTextOrNull(cursor) || !isTextOrNull(after)) return undefined
  return writeStart({ cursor, after }) === text ? { cursor, after } : undefined
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}

function partsOf(text: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    return Array.isArray(parts) ? parts : []
  } catch {
    return []
  }
}
