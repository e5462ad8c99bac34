import type { Request } from 'express'
import type { Stamp, StampOwner } from '../../domain/stamp.js'
import { standingOf, type UserContext } from '../../domain/standing.js'
import { trustCounts } from '../../domain/trust-at-login.js'
import { hasAskedForReset } from '../request/asked-reset.js'
import { requestInfoOf } from '../request/request-info.js'
import type { Site } from '../request/site.js'
import { giveTrust, takeTrust, trustTokenOf } from '../request/trust-cookie.js'
import { guardStateOf } from '../request/visitor.js'

/** What stands for a code: the stamp, and the record with the cookie's use in it. */
export interface Trusted {
  readonly stamp: Stamp
  readonly userContext: UserContext
}

/**
 * Whether the browser of somebody who has just passed the first step is trusted in place of a code. Such a
 * session is never fresh, and ends with that trust.
 */
export async function byTrust(
  site: Site,
  req: Request,
  owner: StampOwner,
  userContext: UserContext,
): Promise<Trusted | null> {
  const { trustedBrowsers, sessions, system, accounts } = site
  if (trustedBrowsers === null || !trustCounts(userContext, system.now())) return null
  const { cookie } = trustedBrowsers
  const token = trustTokenOf(req, cookie)
  if (token === null || hasAskedForReset(req)) return null
  const { userId } = owner
  // Gone from the host's directory, which the strategy need not know.
  if ((await accounts?.lookUp(userId))?.kind === 'none') return null
  // Read anew: the host's functions have taken their time, and somebody may have changed a rule or asked for a reset.
  const present = await sessions.userContext(userId, userContext.subject)
  const answer = await trustedBrowsers.use(token, present, requestInfoOf(req))
  const { res } = guardStateOf(req)
  // A browser that several people use keeps the cookie of another one.
  if (answer.kind === 'unknown') return null
  if (answer.kind === 'over') {
    takeTrust(res, cookie)
    return null
  }
  const { context, renewed } = answer
  const now = system.now()
  if (renewed !== null) giveTrust(res, cookie, renewed, now)
  const given = sessions.stamp(owner, context.record, 'trusted-browser')
  const stamp = { ...given, trust: token.id }
  const standing = standingOf(userId, stamp, context, now)
  return standing === 'passed' ? { stamp, userContext: context } : null
}
