import type { Request } from 'express'
import type { AuditEntry, AuditPage, AuditQuery } from '../../ports/audit-log.js'
import { pageEvent } from '../../text/page-event.js'
import type { PageProblem } from '../../text/pages.js'
import { malformed, type Problem } from '../../text/problem.js'
import { shownEvent } from '../../text/shown-event.js'
import type { Exchange, Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import type { Site } from '../request/site.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { sendJson, sendProblem, showPage } from '../routing/respond.js'
import { cursorOf, limitOf, pageFrom, textOf } from './query.js'

/** GET `/events` */
export const listEvents: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res } = exchange
  const query = queryOf(site, req)
  if ('problem' in query) return refuse(exchange, query.problem)
  const found = await site.audit.page(query)
  if (found === null) return refuse(exchange, malformed('cursor'))
  const entries = found.entries.flatMap((entry) => shownHere(site, entry) ?? [])
  const page = { entries, next: found.next }
  if (!wantsJson(req)) await eventsPage(exchange, page, null, 200)
  else sendJson(res, { events: entries.map((entry) => shownEvent(site, entry)), next: page.next })
  return undefined
}

/**
 * The log may also hold users and admins of another realm, who must not be shown here. The policy is one for
 * all realms: that it was changed is shown, but not by whom.
 */
function shownHere({ hostIdOf }: Pick<Site, 'hostIdOf'>, entry: AuditEntry): AuditEntry | null {
  const { type, user, actor } = entry
  const isOurs = (id: string | null) => id === null || hostIdOf(id) !== null
  if (isOurs(user) && isOurs(actor.id)) return entry
  if (type !== 'policy-changed' || user !== null) return null
  return { ...entry, actor: { ...actor, id: null }, ip: null, userAgent: null, reason: null }
}

const NOTHING: AuditPage = { entries: [], next: null }

async function refuse(exchange: Exchange<SignedInVisitor>, problem: Problem): Promise<undefined> {
  const { site, req, res } = exchange
  await sendProblem(site, req, res, problem, (shown, status) =>
    eventsPage(exchange, NOTHING, shown, status),
  )
}

/** The parsed query, or the name of its first malformed field. `user` is the host's id. */
function queryOf(site: Site, req: Request): AuditQuery | { readonly problem: Problem } {
  const [named, cursor, limit] = [textOf(req, 'user'), cursorOf(req), limitOf(req)]
  const user = named === undefined || named === '' ? null : site.recordIdOf(named)
  if (named === undefined || (named !== '' && user === null)) return { problem: malformed('user') }
  if (limit === undefined) return { problem: malformed('limit') }
  return cursor === undefined ? { problem: malformed('cursor') } : { user, cursor, limit }
}

function eventsPage(
  { site, req, res }: Exchange,
  { entries, next }: AuditPage,
  problem: PageProblem | null,
  status: number,
): Promise<void> {
  const data = {
    problem,
    user: textOf(req, 'user') ?? '',
    events: entries.map((entry) => pageEvent(site, entry)),
    more: pageFrom(req, `${site.paths.admin}/events`, next),
  }
  return showPage(site, req, res, 'admin-events', data, status)
}
