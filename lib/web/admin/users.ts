import type { Request } from 'express'
import { actionsFor, type UserAction } from '../../domain/admin-actions.js'
import type { State } from '../../domain/state.js'
import { UnavailableError } from '../../errors/unavailable-error.js'
import type { MemberPage, MemberQuery } from '../../service/directory.js'
import type { ListedMember } from '../../service/member.js'
import type { PageProblem } from '../../text/pages.js'
import { malformed, type Problem } from '../../text/problem.js'
import { listedUser, type ShownUser, shownUser } from '../../text/shown-user.js'
import type { Exchange, Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import type { Services, Site } from '../request/site.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { sendJson, sendProblem, showPage } from '../routing/respond.js'
import { readCursor, writeCursor } from './cursor.js'
import { DOWNLOAD_TYPES, download, downloadTypeOf } from './download.js'
import { reportOddUsers } from './odd-users.js'
import { downloadLink, pageLinks } from './page-links.js'
import { cursorOf, limitOf, textOf } from './query.js'
import { directoryOf, presentAdmin } from './requirements.js'

/** The states there are, in the order in which the page offers them. */
export const STATES = [
  'on',
  'off',
  'must-set-up',
  'paused',
  'locked',
] as const satisfies readonly State[]

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
      { name: 'users', columns: COLUMNS },
      shownPages(exchange, query, found),
    )
    return undefined
  }
  const next = writeCursor(query, found.next)
  if (wantsJson(req)) sendJson(res, { users: found.members.map(shownUser), next })
  else await usersPage(exchange, found, next, null, 200)
  return undefined
}

/** As many as a host and a store are asked for at once. */
const LARGEST_PAGE = 100

const COLUMNS = [
  ...(['id', 'name', 'email', 'state', 'since', 'backupCodesLeft'] as const),
  ...(['pausedUntil', 'lockedUntil', 'setupDeadline'] as const),
] satisfies readonly (keyof ShownUser)[]

/**
 * All pages of a listing, the first of which is there. Before each other one the admin is looked at again: a slow
 * client could otherwise read on for hours after the admin was paused or has lost the role.
 */
async function* shownPages(
  exchange: Exchange<SignedInVisitor>,
  query: MemberQuery,
  first: MemberPage,
): AsyncGenerator<readonly ShownUser[]> {
  const { site } = exchange
  yield first.members.map(shownUser)
  for (let from = first.next; from !== null; ) {
    const admin = await presentAdmin(exchange)
    if ('code' in admin)
      throw new Error(`a download was cut off, because its admin is now: ${admin.code}`)
    const found = await directoryOf(site).page({ ...query, from }, admin.policy)
    if (found === null)
      throw new Error('a download was cut off, because a list did not know its own cursor')
    reportUnreadable(site, found)
    reportOddUsers(site, found.odd)
    reportLostLists(site, found.lostLists, true)
    yield found.members.map(shownUser)
    from = found.next
  }
}

const NOBODY: MemberPage = { members: [], lost: [], lostLists: [], odd: [], next: null }

async function refuse(exchange: Exchange<SignedInVisitor>, problem: Problem): Promise<undefined> {
  const { site, req, res } = exchange
  await sendProblem(site, req, res, problem, (shown, status) =>
    usersPage(exchange, NOBODY, null, shown, status),
  )
}

/**
 * The JSON contract has no field for it, and an admin who sees it on the page can seldom fix it.
 */
function reportUnreadable({ failureReporter }: Services, { members, lost }: MemberPage): void {
  const damaged = members.filter(({ unreadable }) => unreadable === 'record')
  const named = [...damaged.map(({ hostId }) => JSON.stringify(hostId)), ...lost]
  if (named.length === 0) return
  failureReporter.report(
    new Error(
      'a list of users has records that are damaged or lost; `npx passport-second-step check` names all ' +
        `of them: ${named.join(', ')}`,
    ),
  )
}

/**
 * The page says that users are missing. JSON has no field for it, so it is refused.
 *
 * @throws UnavailableError
 */
function reportLostLists(
  { failureReporter }: Services,
  lostLists: readonly string[],
  isRefused: boolean,
): void {
  const [first] = lostLists
  if (first === undefined) return
  if (isRefused) throw new UnavailableError('the record store', new Error(first))
  for (const lost of lostLists) failureReporter.report(new Error(lost))
}

/** The parsed query, or the name of its first malformed field. */
function queryOf(req: Request): MemberQuery | { readonly problem: Problem } {
  const [search, named, cursor, limit] = [
    textOf(req, 'search')?.trim(),
    textOf(req, 'state'),
    cursorOf(req),
    limitOf(req),
  ]
  const state = named === '' ? null : STATES.find((one) => one === named)
  if (search === undefined) return { problem: malformed('search') }
  if (state === undefined) return { problem: malformed('state') }
  if (limit === undefined) return { problem: malformed('limit') }
  if (cursor === null) return { search, state, from: null, limit }
  const from = cursor === undefined ? undefined : readCursor({ search, state }, cursor)
  return from === undefined ? { problem: malformed('cursor') } : { search, state, from, limit }
}

function usersPage(
  { site, req, res, visitor }: Exchange<SignedInVisitor>,
  found: MemberPage,
  next: string | null,
  problem: PageProblem | null,
  status: number,
): Promise<void> {
  const { members, lost, lostLists, odd } = found
  const users = members.map((one) => ({ ...listedUser(one), actions: menuOf(site, visitor, one) }))
  const data = {
    problem,
    search: textOf(req, 'search') ?? '',
    state: textOf(req, 'state') ?? '',
    states: STATES,
    searchable: directoryOf(site).searchable,
    users,
    lost: lost.length,
    incomplete: lostLists.length > 0,
    withoutId: odd.filter(({ id }) => id === null).length,
    sorted: sortedBy(req),
    looked: found.next?.looked ?? 0,
    downloads: DOWNLOAD_TYPES.map((type) => downloadLink(req, type)),
    ...pageLinks(req, `${site.paths.admin}/users`, next),
  }
  return showPage(site, req, res, 'admin-users', data, status)
}

/**
 * The actions that have an effect on this user. Whether this admin may take one is asked on its own page: for a list
 * of a hundred users the host would be asked a thousand times.
 */
function menuOf(
  { mountedRules, assignedTokens, system }: Site,
  { account }: SignedInVisitor,
  { account: { id }, record, policy, subject, blockedUntil }: ListedMember,
): readonly UserAction[] {
  if (id === account.id) return []
  if (record === undefined || policy === undefined || subject === undefined) return []
  const situation = {
    blocked: blockedUntil !== null,
    now: system.now(),
    routes: mountedRules.rules,
  }
  return actionsFor({ record, policy, subject }, situation).filter(
    (action) =>
      action !== 'remove-authenticator' && (action !== 'token' || assignedTokens.isSupported),
  )
}

/** The column by which the store sorts the list of a state. The host's own list is in the host's order. */
function sortedBy(req: Request): 'since' | 'until' | null {
  const state = textOf(req, 'state')
  if (textOf(req, 'search') !== '') return null
  if (state === 'on') return 'since'
  return state === 'paused' || state === 'locked' ? 'until' : null
}
