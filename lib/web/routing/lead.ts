import type { Request } from 'express'
import type { Lead, Problem, ProblemCode } from '../../text/problem.js'
import { askedPath, isOurs, liesUnder, pathOnOrigin } from '../request/destination.js'
import { pagePath } from '../request/page-path.js'
import { isInSession } from '../request/session-login.js'
import type { Places, Site } from '../request/site.js'
import { knownGuardStateOf } from '../request/visitor.js'
import { admin } from './requirements.js'

const SIGN_IN: Lead = { next: null, lead: 'sign-in' }
const SIGNING_IN_HELPS: readonly ProblemCode[] = [
  'not-signed-in',
  'sign-in-again',
  'code-required',
  'link-expired',
  'not-found',
]

/**
 * A signed-in visitor is led back, never to the sign-in. If a part does not answer, nobody knows
 * whether the visitor is signed in.
 *
 * @param navigation whether the page has the admins' navigation
 */
export function leadOf(site: Site, req: Request, problem: Problem, navigation: boolean): Lead {
  if (problem.code === 'unavailable') return { next: againPath(site, req), lead: 'again' }
  const next = problem.next ?? problem.link
  if (next !== undefined) return { next, lead: 'on' }
  if (problem.code === 'sign-in-again') return SIGN_IN
  const visitor = knownGuardStateOf(req)?.visitor
  if (visitor?.kind === 'pending') {
    return { next: pagePath(site.paths, visitor.standing), lead: 'on' }
  }
  if (visitor !== undefined && isInSession(site, req, visitor)) {
    return { next: cameFrom(site, req) ?? homeOf(site, req, navigation), lead: 'back' }
  }
  const back = SIGNING_IN_HELPS.includes(problem.code) ? null : cameFrom(site, req)
  return back === null ? SIGN_IN : { next: back, lead: 'back' }
}

/**
 * Whether an admin is on the admin pages, and continues there. Where a part does not answer, it may be the host's `allow`:
 * it is not asked again.
 */
export async function keepsNavigation(
  site: Site,
  req: Request,
  { code }: Problem,
): Promise<boolean> {
  const visitor = knownGuardStateOf(req)?.visitor
  if (visitor?.kind !== 'signed-in') return false
  if (!liesUnder(askedPath(req, site), site.paths.admin)) return false
  if ('code' in admin(site, req, visitor)) return false
  if (visitor.account.subject.privileged) return true
  if (code === 'unavailable') return false
  return site.allowAdmin(req, visitor.account.user).catch(() => false)
}

/**
 * The same page. For a form of ours that is its own address, for a form of the host the page that
 * has it.
 */
function againPath(site: Places, req: Request): string {
  const { signIn, signedIn } = site.paths
  const path = askedPath(req, site)
  if (req.method === 'GET') {
    return pathOnOrigin(`${site.base}${req.originalUrl}`, site.origin) ?? signedIn
  }
  if (isOurs(path, site.paths)) return path
  return cameFrom(site, req) ?? (liesUnder(path, signIn) ? signIn : signedIn)
}

/** The page in the `Referer` header. Null for pages that send only their origin, as ours do. */
function cameFrom(site: Places, req: Request): string | null {
  const path = pathOnOrigin(req.get('referer'), site.origin)
  const asked = `${site.base}${req.originalUrl}`
  return path === '/' || path === pathOnOrigin(asked, site.origin) ? null : path
}

function homeOf(site: Places, req: Request, navigation: boolean): string {
  const { secondStep, admin: admins, signedIn } = site.paths
  if (navigation) return `${admins}/users`
  return liesUnder(askedPath(req, site), secondStep) ? `${secondStep}/` : signedIn
}
