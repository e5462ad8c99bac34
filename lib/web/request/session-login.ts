import type { Request } from 'express'
import { isSameUser, loginBeforeGuard, usersOfSession } from './before-guard.js'
import { passportKeys, serialisedUnder } from './passport.js'
import type { HostApp } from './site.js'
import type { SignedInVisitor, Visitor } from './visitor.js'

/**
 * Whether the visitor is signed in by this request's session. Somebody whom a credential signs in for one request,
 * such as an API token, is not: what is only for sessions could make one out of the credential. Each check has
 * its own case: the session may be another user's by now (`once`), have a stamp and no user, or have another
 * user and no stamp.
 */
export function isInSession(
  site: HostApp,
  req: Request,
  visitor: Visitor,
): visitor is SignedInVisitor {
  if (visitor.kind !== 'signed-in' || visitor.once === true || !holdsUser(site, req)) return false
  // A stamp is its user's, or it would not have been let in.
  return visitor.stamp !== null || isUserOfSession(site, req, visitor.account.user)
}

function holdsUser({ passports }: HostApp, req: Request): boolean {
  if (!req.session) return false
  return passportKeys(req, passports).some((key) => (serialisedUnder(req, key) ?? null) !== null)
}

/**
 * Whether a user on the request has come there past the session, so that it is not theirs: a credential for one
 * request in front of the guard has signed them in.
 */
export function cameWithoutSession(site: HostApp, req: Request, user: Express.User): boolean {
  if (isUserOfSession(site, req, user)) return false
  return usersOfSession(req).length > 0 || !holdsUser(site, req)
}

/** Whether Passport has found this user in the session, or put them there. */
function isUserOfSession(site: HostApp, req: Request, user: Express.User): boolean {
  if (loginBeforeGuard(site, req, user) !== null) return true
  return usersOfSession(req).some((one) => isSameUser(site, one, user))
}
