import type { Request } from 'express'
import { standingOf, type UserContext } from '../../domain/standing.js'
import type { Account } from '../../service/accounts.js'
import { loginBeforeGuard, replacedBeforeGuard } from '../request/before-guard.js'
import { isNavigation } from '../request/destination.js'
import { userOf } from '../request/passport.js'
import { pendingOf } from '../request/session.js'
import { stampOfUser } from '../request/session-stamp.js'
import { hasCodes } from '../request/shown-again.js'
import type { HostApp, Site } from '../request/site.js'
import { holdsUnknownLogin } from '../request/unknown-login.js'
import type { SignedInVisitor } from '../request/visitor.js'

type Kept = SignedInVisitor | null

/**
 * A user whom the guard lets in by what it has read a moment ago: nothing is changed, and nothing waits.
 * Null where there is more to do, or they would not be let in. Nobody is turned away by what is not
 * read anew: a session that has begun since would end.
 */
export function keptVisitor(site: Site, req: Request): Kept | Promise<Kept> {
  if (!site.sessions.keepsLooks) return null
  const user = userOf(req)
  if (user === undefined || !isAllThereIs(site, req, user)) return null
  const account = describedOrNull(site, user)
  if (account === null) return null
  const userContext = site.sessions.keptContext(account.id, account.subject)
  return userContext instanceof Promise
    ? userContext.then((context) => letIn(site, req, account, context))
    : letIn(site, req, account, userContext)
}

function describedOrNull(site: HostApp, user: Express.User): Account<Express.User> | null {
  try {
    return site.describe(user)
  } catch {
    return null
  }
}

/** Whether the session's user is all that the guard has to look at. */
function isAllThereIs(site: Site, req: Request, user: Express.User): boolean {
  if (pendingOf(site, req) !== null || replacedBeforeGuard(req) !== undefined) return false
  if (holdsUnknownLogin(site, req.session.secondStep)) return false
  return loginBeforeGuard(site, req, user) === null && !(hasCodes(req) && isNavigation(req))
}

function letIn(
  site: Site,
  req: Request,
  account: Account<Express.User>,
  userContext: UserContext | null,
): Kept {
  // A reset that waits ends where the user's address has changed.
  if (userContext === null || userContext.record.mailReset !== null) return null
  const { record, policy, subject } = userContext
  const { id: userId } = account
  const stamp = stampOfUser(site, req, account)
  const standing = standingOf(userId, stamp, userContext, site.system.now())
  if (standing !== 'passed') return null
  return { kind: 'signed-in', userId, account, stamp, record, policy, subject, kept: true }
}
