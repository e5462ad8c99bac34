import type { Request } from 'express'
import { EVENT_TYPES } from '../../domain/event-kind.js'
import type { EventQuery } from '../../service/event-pages.js'
import { readSpan, type Span } from '../../text/iso-time.js'
import { malformed, type Problem } from '../../text/problem.js'
import type { Site } from '../request/site.js'
import { cursorOf, limitOf, textOf } from './query.js'

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

/** Null if absent, undefined if malformed. */
function timeOf(req: Request, name: string): Span | null | undefined {
  const text = textOf(req, name)
  return text === '' ? null : readSpan(text ?? '')
}
