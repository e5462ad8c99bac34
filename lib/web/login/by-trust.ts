import type { Request } from 'express'
import { acceptedOf } from '../../domain/accepted-methods.js'
import { isEnrolled } from '../../domain/authenticators.js'
import { delayedMailReset } from '../../domain/mail-reset.js'
import type { Stamp, StampOwner } from '../../domain/stamp.js'
import { demandOf, standingOf, type UserContext } from '../../domain/standing.js'
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
  const { trustedBrowsers, sessions, system } = site
  const now = system.now()
  if (trustedBrowsers === null || !mayBeTrusted(userContext, now)) return null
  // The owner is to see it at the challenge, where a code ends it.
  if (delayedMailReset(userContext.record, now) !== null) return null
  const { cookie } = trustedBrowsers
  const token = trustTokenOf(req, cookie)
  if (token === null) return null
  const answer = await trustedBrowsers.use(token, userContext, requestInfoOf(req))
  const { res } = guardStateOf(req)
  // A browser that several people use keeps the cookie of another one.
  if (answer.kind === 'unknown') return null
  if (answer.kind === 'over') {
    takeTrust(res, cookie)
    return null
  }
  const { context, renewed } = answer
  if (renewed !== null) giveTrust(res, cookie, renewed, now)
  const given = sessions.stamp(owner, context.record, 'trusted-browser')
  const stamp = { ...given, trust: token.id }
  const standing = standingOf(owner.userId, stamp, context, now)
  return standing === 'passed' ? { stamp, userContext: context } : null
}

/** Whether a trusted browser may stand for this user's code at all: no rule that says what counts names it. */
export function mayBeTrusted(userContext: UserContext, now: number): boolean {
  const { record, policy, subject } = userContext
  if (!isEnrolled(record) || acceptedOf(policy, subject) !== null) return false
  return demandOf(userContext, now) === 'code'
}
