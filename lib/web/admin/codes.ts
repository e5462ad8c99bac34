import type { Member } from '../../service/member.js'
import type { CodesKind, PageData } from '../../text/pages.js'
import type { Exchange } from '../request/handler.js'
import { leaveAdminNotice } from '../request/session.js'
import { forgetShownAt, rememberCodes, shownAt, shownBefore } from '../request/shown-again.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { redirect, showPage } from '../routing/respond.js'
import { pathOfUser } from './user.js'

/** The codes that an action made for a user. Shown to the admin once. */
export type MadeCodes = Pick<PageData['admin-codes'], 'codes' | 'until'>

type Whom = Pick<Member<Express.User>, 'hostId' | 'account' | 'record'>

/** Shows new codes, and keeps them in the session for a reload. */
export async function showCodes(
  exchange: Exchange<SignedInVisitor>,
  member: Whom,
  action: CodesKind,
  made: MadeCodes,
): Promise<void> {
  const { site, req, visitor } = exchange
  const shown = { ...made, given: null, sessionsEnded: false, done: null }
  await rememberCodes(site, req, visitor.stamp, pageOf(action, member), shown)
  await codesPage(exchange, member, action, { ...made, at: site.system.now() })
}

/**
 * Answers a form that a reload of the page with the codes sent again. A second set would invalidate
 * the codes that the admin has just read out. For a minute it shows the same codes. Later it
 * redirects to the user's page, which says so; the next press there makes new codes.
 *
 * @returns whether it was one
 */
export async function answerReload(
  exchange: Exchange<SignedInVisitor>,
  member: Whom,
  action: CodesKind,
): Promise<boolean> {
  const { site, req, res, visitor } = exchange
  const page = pageOf(action, member)
  const { account, record } = member
  const areLive = (codes: readonly string[]) =>
    action === 'one-time-code'
      ? site.oneTimeCodes.isOpen(account.id, record.oneTimeCodes, codes)
      : visitor.policy.backupCodes && site.backupCodes.areOf(account.id, record.backupCodes, codes)
  const before = await shownBefore(site, req, visitor.stamp, page, areLive)
  if (before !== null) {
    await codesPage(exchange, member, action, before)
    return true
  }
  const madeAt = shownAt(site, req, page)
  if (madeAt === null) return false
  forgetShownAt(req, page)
  const back = pathOfUser(site, member.hostId)
  await leaveAdminNotice(req, { page: back, action, madeAt })
  redirect(res, back)
  return true
}

function codesPage(
  { site, req, res }: Exchange,
  { hostId, account }: Whom,
  kind: CodesKind,
  { codes, until, at }: MadeCodes & { readonly at: number },
): Promise<void> {
  const { name, email } = account
  const madeAt = new Date(at)
  const user = { id: hostId, name, email, back: pathOfUser(site, hostId) }
  const data = { kind, codes, until, madeAt, ...user }
  return showPage(site, req, res, 'admin-codes', { problem: null, ...data })
}

function pageOf(action: CodesKind, { account }: Whom): `admin ${string}` {
  return `admin ${action} ${account.id}`
}
