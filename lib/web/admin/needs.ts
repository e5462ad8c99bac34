import { freshUntil } from '../../domain/stamp.js'
import { pauseOf, standingOf } from '../../domain/standing.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import type { Directory } from '../../service/directory.js'
import type { Exchange, Handler } from '../handler.js'
import { type Need, signedIn } from '../needs.js'
import type { Problem } from '../problem.js'
import type { Site } from '../site.js'
import type { SignedInVisitor } from '../visitor.js'
import { rememberWayBack } from '../way-back.js'

/**
 * What every admin route needs besides the host's own check: an admin who has a second step, is not
 * paused, and has given a code in this session. So nobody can demand of others what he has not done
 * himself (n8n, Capgo CVE-2026-56212).
 */
export const admin: Need<SignedInVisitor> = (site, req, visitor) => {
  const met = signedIn(site, req, visitor)
  if ('code' in met) return met
  const { secondStep } = site.paths
  if (met.record.authenticator === null) {
    return { code: 'setup-required', next: `${secondStep}/setup` }
  }
  if (pauseOf(met, site.system.now()) !== null) return { code: 'forbidden' }
  if (met.stamp === null || freshUntil(met.stamp) === null) return freshCodeRequired(site)
  return met
}

/** What every change needs: a code given within the last five minutes. */
export function freshOrProblem(site: Site, { stamp }: SignedInVisitor): Problem | null {
  const until = stamp === null ? null : freshUntil(stamp)
  return until !== null && site.system.now() < until ? null : freshCodeRequired(site)
}

/** Whether a page must lead to the one that asks for a code first; that one leads back to it. */
export async function leadsToFreshCode(
  { site, req, visitor }: Exchange<SignedInVisitor>,
  page: string,
): Promise<boolean> {
  if (freshOrProblem(site, visitor) === null) return false
  await rememberWayBack(site, req, page)
  return true
}

function freshCodeRequired({ paths }: Site): Problem {
  return { code: 'fresh-code-required', next: `${paths.secondStep}/fresh` }
}

/** A page or list for admins; the page that asks for a code leads back to it. */
export function forAdmins(handler: Handler<SignedInVisitor>): Handler<SignedInVisitor> {
  return async (exchange) => {
    const { site, req, visitor } = exchange
    const met = admin(site, req, visitor)
    if (!('code' in met)) return handler({ ...exchange, visitor: met })
    if (met.code === 'fresh-code-required') await rememberWayBack(site, req)
    return met
  }
}

/**
 * The admin as he is now: between the guard and a change lies the body, which the client sends when
 * it likes, and he may have been paused or signed out meanwhile, or have lost his role or his account.
 */
export async function presentAdmin({
  site,
  req,
  visitor,
}: Exchange<SignedInVisitor>): Promise<SignedInVisitor | Problem> {
  const { userId, stamp } = visitor
  const user = await directoryOf(site).userOf(userId)
  if (user === null) return { code: 'sign-in-again' }
  const { subject } = site.describe(user)
  const footing = await site.sessions.footing(userId, subject)
  const standing = standingOf(userId, stamp, footing, site.system.now())
  if (standing === 'revoked') return { code: 'sign-in-again' }
  // The host's own check stands before the body, and has let in whom the request began with.
  const wasPrivileged = site.describe(visitor.user).subject.privileged
  if (wasPrivileged && !subject.privileged) return { code: 'forbidden' }
  return admin(site, req, { ...visitor, ...footing, user })
}

/** @throws ConfigurationError where the host has not told where its users are */
export function directoryOf({ directory }: Site): Directory<Express.User> {
  if (directory !== null) return directory
  throw new ConfigurationError(
    'adminRouter() needs `users: { findById(id) }`, to know who is to be administered',
  )
}
