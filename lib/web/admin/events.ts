import type { Request } from 'express'
import type { AuditPage, AuditQuery } from '../../ports/audit-log.js'
import { wantsJson } from '../faces.js'
import type { Exchange, Handler } from '../handler.js'
import { pageEvent } from '../page-event.js'
import type { PageProblem } from '../pages.js'
import { malformed, type Problem } from '../problem.js'
import { sendJson, sendProblem, showPage } from '../respond.js'
import { shownEvent } from '../shown-event.js'
import type { Site } from '../site.js'
import type { SignedInVisitor } from '../visitor.js'
import { cursorOf, limitOf, pageFrom, textOf } from './query.js'

/** GET `/events` */
export const listEvents: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res } = exchange
  const query = queryOf(site, req)
  if ('problem' in query) return refuse(exchange, query.problem)
  const found = await site.audit.page(query)
  if (found === null) return refuse(exchange, malformed('cursor'))
  // Another realm's users and admins are in the same log, and have nothing to do with this host.
  const isOurs = (id: string | null) => id === null || site.hostIdOf(id) !== null
  const entries = found.entries.filter(({ user, actor }) => isOurs(user) && isOurs(actor.id))
  const page = { entries, next: found.next }
  if (!wantsJson(req)) await eventsPage(exchange, page, null, 200)
  else sendJson(res, { events: entries.map((entry) => shownEvent(site, entry)), next: page.next })
  return undefined
}

const NOTHING: AuditPage = { entries: [], next: null }

async function refuse(exchange: Exchange<SignedInVisitor>, problem: Problem): Promise<undefined> {
  const { site, req, res } = exchange
  await sendProblem(site, req, res, problem, (shown, status) =>
    eventsPage(exchange, NOTHING, shown, status),
  )
}

/** What the query asks for, or the first thing in it that is odd. The user is the host's id. */
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
