import { EVENT_TYPES } from '../../domain/event-kind.js'
import type { AuditEntry } from '../../ports/audit-log.js'
import { searchAudit } from '../../service/audit-search.js'
import { type EventPage, type EventQuery, eventPage } from '../../service/event-pages.js'
import { linesOf, type Names, onePage } from '../../text/event-page.js'
import type { PageProblem } from '../../text/pages.js'
import { malformed, type Problem } from '../../text/problem.js'
import { shownEvent } from '../../text/shown-event.js'
import type { Exchange, Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import type { HostApp, Site } from '../request/site.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { sendJson, sendProblem, showPage } from '../routing/respond.js'
import { DOWNLOAD_TYPES, downloadTypeOf } from './download.js'
import { downloadEvents } from './event-download.js'
import { eventQueryOf } from './event-query.js'
import { downloadLink, pageLinks } from './page-links.js'
import { textOf } from './query.js'
import { LARGEST_PAGE } from './user-pages.js'

/** GET `/events` */
export const listEvents: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res } = exchange
  const query = eventQueryOf(site, req)
  if ('problem' in query) return refuse(exchange, query.problem)
  const type = downloadTypeOf(req)
  if (type === undefined) return refuse(exchange, malformed('format'))
  const asked = type === null ? query : { ...query, limit: LARGEST_PAGE }
  const page = await eventsOf(site, asked)
  if (page === null) return refuse(exchange, malformed('cursor'))
  if (type !== null) {
    await downloadEvents(exchange, type, page, (cursor) => eventsOf(site, { ...asked, cursor }))
    return undefined
  }
  if (!wantsJson(req)) await eventsPage(exchange, page, null, 200)
  else sendJson(res, { events: page.entries.map((one) => shownEvent(site, one)), next: page.next })
  return undefined
}

/** GET `/events/:id` */
export const showEvent: Handler<SignedInVisitor> = async ({ site, req, res }) => {
  const entry = await entryOf(site, String(req.params.id))
  if (entry === null) return { code: 'not-found' }
  if (wantsJson(req)) {
    sendJson(res, shownEvent(site, entry))
    return undefined
  }
  await showPage(site, req, res, 'admin-event', onePage(site, entry, await namesIn(site, [entry])))
  return undefined
}

/** @returns null for a cursor that no page has given */
function eventsOf(site: Site, query: EventQuery): Promise<EventPage | null> {
  return eventPage(site.audit, query, (entry) => shownHere(site, entry))
}

/** The entry, if this admin may see it. Ids begin with their time: a log that can go by time finds it at once. */
async function entryOf(site: Site, id: string): Promise<AuditEntry | null> {
  if (!/^[0-9a-f]{30}$/.test(id)) return null
  const at = Number.parseInt(id.slice(0, 12), 16)
  const filters = { user: null, actor: null, type: null, from: at, to: at }
  const ofId = (entry: AuditEntry) => (entry.id === id ? shownHere(site, entry) : null)
  const found = await searchAudit(site.audit, filters, { start: null, limit: 1 }, ofId)
  return found?.entries[0] ?? null
}

/**
 * The log may also hold users and admins of another realm, who must not be shown here. The policy is one for
 * all realms: that it was changed is shown, but not by whom.
 */
function shownHere({ hostIdOf }: Pick<HostApp, 'hostIdOf'>, entry: AuditEntry): AuditEntry | null {
  const { type, user, actor } = entry
  const isOurs = (id: string | null) => id === null || hostIdOf(id) !== null
  if (isOurs(user) && isOurs(actor.id)) return entry
  if (type !== 'policy-changed' || user !== null) return null
  return { ...entry, actor: { ...actor, id: null }, ip: null, userAgent: null, reason: null }
}

/** The names of whom the entries are about, and of who did it. Without them, pages have the ids. */
async function namesIn(site: Site, entries: readonly AuditEntry[]): Promise<Names> {
  const all = entries.flatMap(({ user, actor }) => [user, actor.id])
  const ids = [...new Set(all.filter((id) => id !== null))]
  const found = await site.accounts?.lookUpAll(ids).catch((error: unknown) => {
    site.failureReporter.report(error)
    return []
  })
  return new Map(
    (found ?? []).flatMap((one) => {
      const account = one.kind === 'found' ? one.account : one.kind === 'odd' ? one.odd : null
      const name = account?.name ?? null
      return account === null || name === null ? [] : [[account.id, name] as const]
    }),
  )
}

const NOTHING: EventPage = { entries: [], next: null, reached: null }

async function refuse(exchange: Exchange<SignedInVisitor>, problem: Problem): Promise<undefined> {
  const { site, req, res } = exchange
  await sendProblem(site, req, res, problem, (shown, status) =>
    eventsPage(exchange, NOTHING, shown, status),
  )
}

async function eventsPage(
  { site, req, res }: Exchange,
  { entries, next, reached }: EventPage,
  problem: PageProblem | null,
  status: number,
): Promise<void> {
  const asked = (name: string) => textOf(req, name) ?? ''
  const data = {
    problem,
    user: asked('user'),
    actor: asked('actor'),
    type: asked('type'),
    from: asked('from'),
    to: asked('to'),
    types: EVENT_TYPES,
    // Whoever asks for one type wants to see each of them.
    events: linesOf(site, entries, await namesIn(site, entries), asked('type') === ''),
    reached: reached === null ? null : new Date(reached).toISOString(),
    downloads: DOWNLOAD_TYPES.map((type) => downloadLink(req, type)),
    ...pageLinks(req, `${site.paths.admin}/events`, next),
  }
  return showPage(site, req, res, 'admin-events', data, status)
}
