import { isFresh } from '../../domain/stamp.js'
import { standingOf } from '../../domain/standing.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import type { Account, Accounts } from '../../service/accounts.js'
import type { Directory } from '../../service/directory.js'
import type { PolicyCounts } from '../../service/policy-count.js'
import type { Problem } from '../../text/problem.js'
import type { Exchange, Handler } from '../request/handler.js'
import type { AdminServices, HostApp, Site } from '../request/site.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { rememberWayBack } from '../request/way-back.js'
import { admin, freshCodeRequired } from '../routing/requirements.js'
import { warnNoRoles, warnOfMailReset, warnOfUnbound } from './warnings.js'

/**
 * Whether this user is an admin: by the host's roles or `isAdmin`, or by `adminRouter({ allow })`.
 * Checked even if the host has its own check: a host that forgets it would let every enrolled user
 * make a one-time code for anybody.
 */
async function isAdmin(
  { site, req }: Pick<Exchange, 'site' | 'req'>,
  { id, user, subject: { privileged }, tellsRoles }: Account<Express.User>,
): Promise<boolean> {
  if (privileged) return true
  if (await site.allowAdmin(req, user)) {
    warnOfMailReset(site, id)
    return true
  }
  if (!tellsRoles) warnNoRoles(site)
  return false
}

/** The requirement of every change: a code given within the last five minutes. */
export function freshOrProblem(site: Site, { stamp }: SignedInVisitor): Problem | null {
  return isFresh(stamp, site.system.now()) ? null : freshCodeRequired(site)
}

/** Whether a page must first redirect to the page that asks for a code, which redirects back. */
export async function leadsToFreshCode(
  { site, req, visitor }: Exchange<SignedInVisitor>,
  page: string,
): Promise<boolean> {
  if (freshOrProblem(site, visitor) === null) return false
  await rememberWayBack(site, req, { page })
  return true
}

/** A page or list for admins. The page that asks for a code redirects back to it. */
export function forAdmins(handler: Handler<SignedInVisitor>): Handler<SignedInVisitor> {
  return async (exchange) => {
    const { site, req, visitor } = exchange
    // The session's user may be out of date if the host keeps whole users in the session.
    if (!(await isAdmin(exchange, visitor.account))) return { code: 'forbidden' }
    if (!(await isPresentAdmin(exchange))) return { code: 'forbidden' }
    if (!visitor.account.tellsRoles) warnOfUnbound(site, visitor.policy)
    const met = admin(site, req, visitor)
    if (!('code' in met)) return handler({ ...exchange, visitor: met })
    if (met.code === 'fresh-code-required') await rememberWayBack(site, req)
    return met
  }
}

/** A page or list for admins alone. The help desk of the host must not see it. */
export function forWholeAdmins(handler: Handler<SignedInVisitor>): Handler<SignedInVisitor> {
  return forAdmins(async (exchange) => {
    const present = await presentAdmin(exchange)
    return 'code' in present ? present : (wholeAdminOrProblem(present) ?? handler(exchange))
  })
}

/** Refuses a help desk: for what is no action on one user, which `canAdminister` is asked for. */
export function wholeAdminOrProblem({ account }: SignedInVisitor): Problem | null {
  return account.helpDesk === true ? { code: 'forbidden' } : null
}

/**
 * Reads the admin again. The client decides when it sends the body of a change, and since the guard
 * ran, the admin may have been paused or signed out, or may have lost the role or the account.
 */
export async function presentAdmin({
  site,
  req,
  visitor,
}: Exchange<SignedInVisitor>): Promise<SignedInVisitor | Problem> {
  const { stamp } = visitor
  const account = await accountsOf(site).find(visitor.account.id)
  if (account === null) return { code: 'sign-in-again' }
  // Needed even if the host has its own check, because that one ran before the body arrived.
  if (!(await isAdmin({ site, req }, account))) return { code: 'forbidden' }
  const userContext = await site.sessions.userContext(account.id, account.subject)
  const standing = standingOf(account.id, stamp, userContext, site.system.now())
  if (standing !== 'passed') return { code: 'sign-in-again' }
  return admin(site, req, { ...visitor, ...userContext, account })
}

/** Whether the visitor is an admin now, whatever other requirement they miss. */
export async function isPresentAdmin({
  site,
  req,
  visitor,
}: Exchange<SignedInVisitor>): Promise<boolean> {
  const account = await accountsOf(site).find(visitor.account.id)
  return account !== null && isAdmin({ site, req }, account)
}

/** @throws ConfigurationError where the host has not told where its users are */
export function directoryOf({ directory }: AdminServices): Directory<Express.User> {
  return directory ?? throwNoUsers()
}

/** @throws ConfigurationError as `directoryOf` */
export function policyCountsOf({ policyCounts }: AdminServices): PolicyCounts {
  return policyCounts ?? throwNoUsers()
}

function accountsOf({ accounts }: HostApp): Accounts<Express.User> {
  return accounts ?? throwNoUsers()
}

function throwNoUsers(): never {
  throw new ConfigurationError(
    'adminRouter() needs `users: { findById(id) }`, to know who is to be administered',
  )
}
