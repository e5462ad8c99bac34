import type { Request } from 'express'
import { askedPath, isOurs } from '../request/destination.js'
import type { GuardState } from '../request/visitor.js'
import type { AuthenticateOptions } from '../request/watching.js'
import { isWithoutSession } from './check-log-in-options.js'

/**
 * What happens to the pending login if its own user passes the first step again, as "remember me"
 * does at every request without a user:
 *
 * - `on`: the request goes on to our route or to an open path, without a user: the challenge, the
 *   host's own too, and the log-out would never be reached
 * - `elsewhere`: the login is answered as pending, and the pending login stays the same
 * - `anew`: a login route was asked, or there is nothing to go on with
 *
 * A request for anything else never goes on: behind a middleware that signs in at every request, routes
 * take whoever reaches them for signed in. So does what follows a login that lies on an open path itself.
 */
export function goingOn(
  req: Request,
  { site, visitor, passed, isOpen }: GuardState,
  userId: string,
  options: AuthenticateOptions,
): 'on' | 'elsewhere' | 'anew' {
  if (visitor.kind !== 'pending' || passed !== null) return 'anew'
  if (visitor.pending.userId !== userId || isWithoutSession(options)) return 'anew'
  const path = askedPath(req, site)
  if (isOurs(path, site.paths)) return 'on'
  if (isLoginRoute(req, options)) return 'anew'
  return isOpen(path) && !isOpen(`${site.base}${req.baseUrl}`) ? 'on' : 'elsewhere'
}

/** Whether the login has a route of its own, instead of running in front of every route. */
function isLoginRoute(req: Request, options: AuthenticateOptions): boolean {
  // `app.use('/login', …)` is a login's own path where something is sent to it. A page that is asked for is
  // a folder behind "remember me".
  const isSent = !['GET', 'HEAD'].includes(req.method)
  const isAtItsPath = isSent && req.baseUrl !== '' && req.path === '/'
  const leadsOn = options.successRedirect ?? options.successReturnToOrRedirect
  return req.route !== undefined || isAtItsPath || leadsOn !== undefined
}
