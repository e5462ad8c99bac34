import type { Request } from 'express'
import { pendingStandingOf, standingOf } from '../../domain/standing.js'
import type { Problem } from '../../text/problem.js'
import { hasBodyBegun } from './held-body.js'
import { pagePath } from './page-path.js'
import { removeUser } from './passport.js'
import type { Site } from './site.js'
import { guardStateAt, guardStateOf, type PendingVisitor, type Visitor } from './visitor.js'

/** Milliseconds for which the guard's look is enough. */
const SEEN_FOR = 100

/** Whether the client or other middleware has kept the request waiting since the guard ran. */
export function hasWaited(site: Site, req: Request): boolean {
  const { bodyWasThere, metAt } = guardStateAt(site, req)
  const isLate = Math.abs(site.system.now() - metAt) > SEEN_FOR
  return isLate || (hasBodyBegun(req) && !bodyWasThere)
}

/**
 * Identifies the visitor again. The client decides when it sends the body, and since the guard ran,
 * the visitor may have been signed out, or the policy may require more.
 */
export async function lookAgain(site: Site, req: Request): Promise<Visitor | Problem> {
  const state = guardStateOf(req)
  const { visitor } = state
  if (visitor.kind === 'pending') return lookAtPending(site, visitor)
  if (visitor.kind !== 'signed-in') return visitor
  const { kept: _, ...anew } = visitor
  const { account, stamp } = anew
  state.metAt = site.system.now()
  const userContext = await site.sessions.userContext(account.id, account.subject)
  if (visitor.once === true) {
    // The credential says who they are, whatever their sessions need.
    state.visitor = { ...anew, ...userContext }
    return state.visitor
  }
  const standing = standingOf(account.id, stamp, userContext, site.system.now())
  if (standing === 'passed') {
    state.visitor = { ...anew, ...userContext }
    return state.visitor
  }
  state.visitor = { kind: 'anonymous' }
  removeUser(req)
  if (standing === 'revoked') return { code: 'sign-in-again' }
  const next = pagePath(site.paths, standing)
  return standing === 'code-required' ? { code: standing, link: next } : { code: standing, next }
}

async function lookAtPending(site: Site, visitor: PendingVisitor): Promise<Visitor | Problem> {
  const { pending } = visitor
  const userContext = await site.sessions.userContext(pending.userId, pending.subject)
  const standing = pendingStandingOf(pending, userContext, site.system.now())
  if (standing === 'over') return { code: 'sign-in-again' }
  // Who needs no second step any more may still pass it.
  return { ...visitor, ...userContext, standing: standing === 'free' ? visitor.standing : standing }
}
