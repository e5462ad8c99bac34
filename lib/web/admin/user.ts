import type { Request } from 'express'
import {
  actionsFor,
  mayJustSetUp,
  mayPauseForever,
  type UserAction,
} from '../../domain/admin-actions.js'
import { TOKEN_FIELDS } from '../../factors/hardware-token.js'
import type { Member } from '../../service/member.js'
import { isOdd, type OddUser } from '../../service/odd-user.js'
import { adminAuthenticators } from '../../text/admin-authenticator.js'
import { pageEvent } from '../../text/page-event.js'
import type { AdminForm, PageData, PageProblem } from '../../text/pages.js'
import type { Problem } from '../../text/problem.js'
import { shownAuthenticators, suspendedIds } from '../../text/shown-authenticator.js'
import { shownEvent } from '../../text/shown-event.js'
import { listedUser, shownUser } from '../../text/shown-user.js'
import { idOfSegment, userPath } from '../../text/user-path.js'
import { fieldOf } from '../request/body.js'
import type { Exchange, Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { type AdminNotice, takeAdminNotice } from '../request/session.js'
import type { AdminServices, HostApp, Services, Site } from '../request/site.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { redirect, sendJson, showPage } from '../routing/respond.js'
import { oddUserProblem, reportOddUsers } from './odd-users.js'
import { directoryOf, leadsToFreshCode } from './requirements.js'

/** The page is there, but not the user. */
export const NO_SUCH_USER: Problem = { code: 'not-found', text: { key: 'refusal.not-found' } }

const SHOWN_FIELDS = TOKEN_FIELDS.filter((field) => field !== 'secret')

export type FoundMember = Member<Express.User>

/** GET `/users/:id` */
export const showUser: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res } = exchange
  const member = await memberOf(site, req)
  if (member === null) return NO_SUCH_USER
  if (isOdd(member)) return oddUserProblem(member)
  if (!wantsJson(req)) {
    await userPage(exchange, member, null, 200)
    return undefined
  }
  const entries = await site.audit.lastOf(member.account.id)
  const events = entries.map((entry) => shownEvent(site, entry))
  const authenticators = shownAuthenticators(member.record)
  sendJson(res, { ...shownUser(member), authenticators, events })
  return undefined
}

/** GET of the address that removes a device. Redirects to the form's page, which checks who may see it. */
export const toUser: Handler = async ({ site, req, res }) => {
  const id = askedId(req)
  if (wantsJson(req) || id === null) return { code: 'not-found' }
  redirect(res, pathOfUser(site, id))
  return undefined
}

/** GET of the address that changes several users: a reload after a new sign-in, or "Try again" of a 503. */
export const toUsers: Handler = async ({ site, req, res }) => {
  if (wantsJson(req)) return { code: 'not-found' }
  redirect(res, pathOfUsers(site))
  return undefined
}

/** The user that the path names, or null. */
export async function memberOf(
  site: AdminServices & Services & HostApp,
  req: Request,
): Promise<FoundMember | OddUser | null> {
  const id = askedId(req)
  return id === null ? null : memberCalled(site, id)
}

/** @param id the host's */
export async function memberCalled(
  site: AdminServices & Services & HostApp,
  id: string,
): Promise<FoundMember | OddUser | null> {
  const found = await directoryOf(site).find(id)
  if (found !== null && isOdd(found)) reportOddUsers(site, [found])
  return found
}

/** The authenticator that the path names. */
export function authenticatorIn({ params: { authenticatorId } }: Request): string {
  return typeof authenticatorId === 'string' ? authenticatorId : ''
}

/** The id in the path, or null. Express has already decoded the path once. */
function askedId({ params: { id } }: Request): string | null {
  return typeof id === 'string' ? idOfSegment(id) : null
}

/** The user's page. */
export function pathOfUser({ paths }: Pick<Site, 'paths'>, hostId: string): string {
  return userPath(paths.admin, hostId)
}

/** The first page of users. */
export function pathOfUsers({ paths }: Pick<Site, 'paths'>): string {
  return `${paths.admin}/users`
}

/** @param wrong the form that a problem belongs to */
export async function userPage(
  exchange: Exchange<SignedInVisitor>,
  member: FoundMember,
  wrong: { readonly action: UserAction; readonly problem: PageProblem } | null,
  status: number,
): Promise<void> {
  const { site, req, res, visitor } = exchange
  const path = pathOfUser(site, member.hostId)
  const [entries, allowed, notice] = await Promise.all([
    site.audit.lastOf(member.account.id),
    allowedForms(site, visitor, member),
    takeAdminNotice(req, path),
  ])
  const stale = await leadsToFreshCode(exchange, path)
  const data = {
    problem: wrong?.problem ?? null,
    form: wrong === null ? null : formOf(wrong.action, fieldOf(req, 'days')),
    typed: typedFields(req),
    user: listedUser(member),
    noMail: site.mails && member.account.email === null,
    self: member.account.id === visitor.account.id,
    stale,
    forms: allowed,
    demandReason: site.demandReason,
    authenticators: adminAuthenticators(member.record),
    suspended: suspendedIds(member.record),
    trustedBrowsers: site.trustedBrowsers?.of(member).length ?? 0,
    fewMisses: site.ownAuthenticators.fewMisses(member.record, ['hotp']),
    removing: wrong === null ? null : authenticatorIn(req),
    noCodeNeeded: mayJustSetUp(member, site.system.now()),
    ...noticeShown(notice),
    events: entries.map((entry) => pageEvent(site, entry)),
    back: path,
  }
  await showPage(site, req, res, 'admin-user', data, status)
}

/** What was typed, but never a seed. */
function typedFields(req: Request): PageData['admin-user']['typed'] {
  const typed = (name: string) => fieldOf(req, name) ?? ''
  const token = Object.fromEntries(SHOWN_FIELDS.map((name) => [name, typed(name)] as const))
  return { reason: typed('reason'), days: typed('days'), token }
}

/** The last change, or the codes that a reload asked for too late. */
function noticeShown(
  notice: AdminNotice | null,
): Pick<PageData['admin-user'], 'notice' | 'weak' | 'codesMade'> {
  const { action, madeAt, weak = false } = notice ?? { action: null }
  if (madeAt === undefined) return { notice: action, weak, codesMade: null }
  const kind = action === 'one-time-code' ? action : 'backup-codes'
  return { notice: null, codesMade: { kind, at: new Date(madeAt).toISOString() } }
}

/** A pause without an end has its own form. */
function formOf(action: UserAction, days: string | undefined): AdminForm {
  return action === 'pause' && days === 'forever' ? 'pause-forever' : action
}

/** Whether this app can do it at all, whoever the user is. */
export function isHere({ assignedTokens, mails }: Site, action: UserAction): boolean {
  return action === 'token' ? assignedTokens.isSupported : action !== 'remind' || mails
}

/** The actions that have an effect on this user and that this admin may take. */
export async function allowedForms(
  site: Site,
  { account }: SignedInVisitor,
  member: FoundMember,
): Promise<readonly AdminForm[]> {
  if (member.account.id === account.id) return []
  const blocked = member.blockedUntil !== null
  const { rules: routes } = site.mountedRules
  const actions = actionsFor(member, { blocked, now: site.system.now(), routes })
  const may = await Promise.all(
    actions.map(async (action) => {
      const allowed =
        isHere(site, action) && (await site.canAdminister(account, member.account, action))
      return allowed ? formsOf(action, member) : []
    }),
  )
  return may.flat()
}

/** A pause without an end has its own form. */
function formsOf(action: UserAction, member: FoundMember): readonly AdminForm[] {
  return action === 'pause' && mayPauseForever(member) ? [action, 'pause-forever'] : [action]
}
