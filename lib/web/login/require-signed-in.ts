import type { IncomingMessage } from 'node:http'
import type { Request } from 'express'
import { pendingStandingOf, standingOf } from '../../domain/standing.js'
import type { ProblemCode } from '../../text/problem.js'
import { isFromElsewhere } from '../request/cross-origin.js'
import { userOf } from '../request/passport.js'
import { pendingOf } from '../request/session.js'
import { stampOfUser } from '../request/session-stamp.js'
import type { Site } from '../request/site.js'
import { holdsUnknownLogin } from '../request/unknown-login.js'

/** Why a web-socket upgrade is refused. */
export class NotSignedInError extends Error {
  static override readonly name: string = 'NotSignedInError'
  override readonly name = 'NotSignedInError'
  readonly status = 401
  readonly statusCode = 401
  /** `not-signed-in`, `code-required` or `setup-required`; `cross-origin`: another site has started it. */
  readonly code: ProblemCode

  constructor(code: ProblemCode) {
    super(`the visitor is not signed in: ${code}`)
    this.code = code
  }
}

/**
 * The signed-in user, with both steps if they need both, of a request that no guard can see: a
 * web-socket upgrade, after the session's and Passport's middleware ran on it. Changes nothing.
 *
 * @throws NotSignedInError; UnavailableError where it cannot be known
 */
export async function requireSignedIn(site: Site, request: IncomingMessage): Promise<Express.User> {
  const headerOf = (name: string) => request.headers?.[name]?.toString()
  // The browser sends the cookies along, also of `SameSite=Lax` from a sibling subdomain, and no CORS applies.
  if (isFromElsewhere(headerOf('origin'), headerOf('sec-fetch-site'), site)) {
    throw new NotSignedInError('cross-origin')
  }
  const req = request as Request
  const user = req.session ? userOf(req) : undefined
  const pending = req.session ? pendingOf(site, req) : null
  if (pending !== null && pending !== 'broken') {
    const userContext = await site.sessions.userContext(pending.userId, pending.subject)
    const standing = pendingStandingOf(pending, userContext, site.system.now())
    // Also if the login needs no code by now: its next request signs the user in.
    const out = standing === 'over' || standing === 'free'
    throw new NotSignedInError(out ? 'not-signed-in' : standing)
  }
  if (user === undefined || pending === 'broken') throw new NotSignedInError('not-signed-in')
  if (holdsUnknownLogin(site, req.session.secondStep)) throw new NotSignedInError('not-signed-in')
  const account = site.describe(user)
  const { id, subject } = account
  const userContext = await site.sessions.userContext(id, subject)
  const standing = standingOf(id, stampOfUser(site, req, account), userContext, site.system.now())
  if (standing === 'passed') return user
  throw new NotSignedInError(standing === 'revoked' ? 'not-signed-in' : standing)
}
