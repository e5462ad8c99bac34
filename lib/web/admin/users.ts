import type { Request } from 'express'
import { actionsFor, isForHelpDesk, type UserAction } from '../../domain/admin-actions.js'
import { GROUPS, USER_FILTERS } from '../../domain/groups.js'
import { STATES } from '../../domain/state.js'
import type { MemberPage, MemberQuery } from '../../service/directory.js'
import type { ListedMember } from '../../service/member.js'
import { isoTime } from '../../text/iso-time.js'
import { lateIn } from '../../text/overview-page.js'
import type { PageData, PageProblem } from '../../text/pages.js'
import { malformed, type Problem } from '../../text/problem.js'
import { shownOverview } from '../../text/shown-overview.js'
import { listedUser, shownUser } from '../../text/shown-user.js'
import { userCounts } from '../../text/user-counts.js'
import type { Exchange, Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { takeAdminNotice } from '../request/session.js'
import type { Site } from '../request/site.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { sendJson, sendProblem, showPage } from '../routing/respond.js'
import { BULK_ACTIONS } from './bulk-page.js'
import { pickedIn, reportShown } from './bulk-report.js'
import { readCursor, writeCursor } from './cursor.js'
import { DOWNLOAD_TYPES, download, downloadTypeOf } from './download.js'
import { reportLostLists, reportUnreadable } from './lost-users.js'
import { reportOddUsers } from './odd-users.js'
import { downloadLink, pageLinks } from './page-links.js'
import { cursorOf, limitOf, textOf } from './query.js'
import { directoryOf, leadsToFreshCode } from './requirements.js'
import { isHere, pathOfUsers } from './user.js'
import { COLUMNS, LARGEST_PAGE, shownPages } from './user-pages.js'

/** GET `/users` */
export const listUsers: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  const asked = queryOf(req)
  if ('problem' in asked) return refuse(exchange, asked.problem)
  const type = downloadTypeOf(req)
  if (type === undefined) return refuse(exchange, malformed('format'))
  const query = type === null ? asked : { ...asked, limit: LARGEST_PAGE }
  const found = await directoryOf(site).page(query, visitor.policy)
  if (found === null) return refuse(exchange, malformed('cursor'))
  reportUnreadable(site, found)
  reportOddUsers(site, found.odd)
  reportLostLists(site, found.lostLists, type !== null || wantsJson(req))
  if (type !== null) {
    await download(
      exchange,
      type,
      { name: 'users', columns: COLUMNS, cells: (user) => user },
      shownPages(exchange, query, found),
    )
    return undefined
  }
  const next = writeCursor(query, found.next)
  if (wantsJson(req)) sendJson(res, { users: found.members.map(shownUser), next })
  else await usersPage(exchange, found, next, null, 200)
  return undefined
}

const NOBODY: MemberPage = { members: [], lost: [], lostLists: [], odd: [], next: null }

async function refuse(exchange: Exchange<SignedInVisitor>, problem: Problem): Promise<undefined> {
  const { site, req, res } = exchange
  await sendProblem(site, req, res, problem, (shown, status) =>
    usersPage(exchange, NOBODY, null, shown, status),
  )
}

/** The parsed query, or the name of its first malformed field. */
function queryOf(req: Request): MemberQuery | { readonly problem: Problem } {
  const [search, named, cursor, limit] = [
    textOf(req, 'search')?.trim(),
    textOf(req, 'state'),
    cursorOf(req),
    limitOf(req),
  ]
  const state = named === '' ? null : USER_FILTERS.find((one) => one === named)
  if (search === undefined) return { problem: malformed('search') }
  if (state === undefined) return { problem: malformed('state') }
  if (limit === undefined) return { problem: malformed('limit') }
  if (cursor === null) return { search, state, from: null, limit }
  const from = cursor === undefined ? undefined : readCursor({ search, state }, cursor)
  return from === undefined ? { problem: malformed('cursor') } : { search, state, from, limit }
}

async function usersPage(
  exchange: Exchange<SignedInVisitor>,
  found: MemberPage,
  next: string | null,
  problem: PageProblem | null,
  status: number,
): Promise<void> {
  const { site, req, res, visitor } = exchange
  const { members, lost, lostLists, odd } = found
  const notice = await takeAdminNotice(req, pathOfUsers(site))
  const now = site.system.now()
  const users = members.map((one) => ({
    ...listedUser(one),
    late: one.setupDeadline !== null && one.setupDeadline <= now,
    actions: menuOf(site, visitor, one),
  }))
  const changeable = users.some(({ actions }) => actions.length > 0)
  const data = {
    problem,
    search: textOf(req, 'search') ?? '',
    state: textOf(req, 'state') ?? '',
    states: STATES,
    groups: GROUPS,
    ...countsFor(site, req, visitor),
    searchable: directoryOf(site).searchable,
    users,
    lost: lost.length,
    incomplete: lostLists.length > 0,
    withoutId: odd.filter(({ id }) => id === null).length,
    sorted: sortedBy(req),
    bulkActions:
      visitor.account.helpDesk === true
        ? []
        : BULK_ACTIONS.filter((action) => isHere(site, action)),
    report: reportShown(notice),
    picked: pickedIn(notice),
    stale: changeable && (await leadsToFreshCode(exchange, askedList(req, site))),
    looked: found.next?.looked ?? 0,
    downloads: DOWNLOAD_TYPES.map((type) => downloadLink(req, type)),
    ...pageLinks(req, `${site.paths.admin}/users`, next),
  }
  return showPage(site, req, res, 'admin-users', data, status)
}

/** This page of the list. */
function askedList({ originalUrl }: Request, site: Site): string {
  const at = originalUrl.indexOf('?')
  return `${pathOfUsers(site)}${at === -1 ? '' : originalUrl.slice(at)}`
}

/** Of all users: none beside a search. */
function countsFor(
  { overview, roles, system }: Site,
  req: Request,
  { policy }: SignedInVisitor,
): Pick<PageData['admin-users'], 'counts' | 'countedAt'> {
  const counted = overview?.known(policy) ?? null
  if (counted === null || textOf(req, 'search')) return {}
  return {
    counts: userCounts(shownOverview(counted, roles, system.now()), lateIn(counted)),
    countedAt: isoTime(counted.at),
  }
}

/**
 * The actions that have an effect on this user. Whether this admin may take one is asked on its own page: for a list
 * of a hundred users the host would be asked a thousand times.
 */
function menuOf(
  site: Site,
  { account }: SignedInVisitor,
  { account: { id }, record, policy, subject, blockedUntil }: ListedMember,
): readonly UserAction[] {
  if (id === account.id) return []
  if (record === undefined || policy === undefined || subject === undefined) return []
  const situation = {
    blocked: blockedUntil !== null,
    now: site.system.now(),
    routes: site.mountedRules.rules,
  }
  return actionsFor({ record, policy, subject }, situation).filter(
    (action) =>
      action !== 'remove-authenticator' &&
      isHere(site, action) &&
      (account.helpDesk !== true || isForHelpDesk(action, subject)),
  )
}

/** The column by which the store sorts the list of a state. The host's own list is in the host's order. */
function sortedBy(req: Request): 'since' | 'until' | null {
  const state = textOf(req, 'state')
  if (textOf(req, 'search') !== '') return null
  if (state === 'on') return 'since'
  return state === 'paused' || state === 'locked' ? 'until' : null
}
