import type { Request } from 'express'
import { EVENT_TYPES } from '../../domain/event-kind.js'
import { DAY_MS } from '../../domain/units.js'
import type { AuditFilters, SearchStart } from '../../service/audit-search.js'
import { malformed, type Problem } from '../../text/problem.js'
import type { Site } from '../request/site.js'
import { cursorOf, limitOf, textOf } from './query.js'

/** What a page of events is asked for. */
export interface EventQuery {
  readonly filters: AuditFilters
  /** The cursor in the address. */
  readonly cursor: string | null
  readonly limit: number
}

/** The parsed query, or the name of its first malformed field. `user` and `actor` are the host's ids. */
export function eventQueryOf(
  site: Pick<Site, 'recordIdOf'>,
  req: Request,
): EventQuery | { readonly problem: Problem } {
  const user = personOf(site, req, 'user')
  const actor = personOf(site, req, 'actor')
  const named = textOf(req, 'type')
  const type = named === '' ? null : EVENT_TYPES.find((one) => one === named)
  const from = timeOf(req, 'from')
  const to = timeOf(req, 'to')
  const [cursor, limit] = [cursorOf(req), limitOf(req)]
  if (user === undefined) return { problem: malformed('user') }
  if (actor === undefined) return { problem: malformed('actor') }
  if (type === undefined) return { problem: malformed('type') }
  if (from === undefined) return { problem: malformed('from') }
  if (to === undefined) return { problem: malformed('to') }
  if (from !== null && to !== null && from.first > to.last) return { problem: malformed('to') }
  if (limit === undefined) return { problem: malformed('limit') }
  if (cursor === undefined) return { problem: malformed('cursor') }
  const times = { from: from?.first ?? null, to: to?.last ?? null }
  return { filters: { user, actor, type, ...times }, cursor, limit }
}

/** A record's id; null: anybody; undefined: malformed. */
function personOf({ recordIdOf }: Pick<Site, 'recordIdOf'>, req: Request, name: string) {
  const named = textOf(req, name)?.trim()
  if (named === undefined) return undefined
  return named === '' ? null : (recordIdOf(named) ?? undefined)
}

const DAY = /^\d{4}-\d\d-\d\d$/
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z$/

/** The first and the last millisecond of a day (UTC), or of a moment, both as ISO 8601. */
function timeOf(req: Request, name: string) {
  const text = textOf(req, name)
  if (text === '') return null
  if (text === undefined || !(DAY.test(text) || MOMENT.test(text))) return undefined
  const first = Date.parse(text)
  // `Date.parse` takes 30 February for 2 March.
  const isReal = first >= 0 && new Date(first).toISOString().startsWith(text.slice(0, 10))
  return isReal ? { first, last: DAY.test(text) ? first + DAY_MS - 1 : first } : undefined
}

/** The start of a page of what passes a filter, as text for addresses. */
export function writeStart(start: SearchStart | null): string | null {
  if (start === null) return null
  return Buffer.from(JSON.stringify([start.cursor, start.after])).toString('base64url')
}

/** @returns undefined for a cursor that no such page has given */
export function readStart(text: string): SearchStart | undefined {
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
