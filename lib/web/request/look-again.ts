import type { Request } from 'express'
import { standingOf } from '../../domain/standing.js'
import type { Problem } from '../../text/problem.js'
import { pagePath } from './page-path.js'
import { removeUser } from './passport.js'
import type { Site } from './site.js'
import { guardStateOf, type Visitor } from './visitor.js'

/**
 * Identifies the visitor again. The client decides when it sends the body, and since the guard ran,
 * the visitor may have been signed out, or the policy may require more.
 */
export async function lookAgain(site: Site, req: Request): Promise<Visitor | Problem> {
  const state = guardStateOf(req)
  const { visitor } = state
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
