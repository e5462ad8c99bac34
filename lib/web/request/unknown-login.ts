import { ConfigurationError } from '../../errors/configuration-error.js'
import { heldIn } from './session.js'
import type { Site } from './site.js'

/** For the operator: nobody else knows why so many users sign in again. */
export function unknownLogin(): ConfigurationError {
  return new ConfigurationError(
    'a session was begun under a key that `keys` has no more, at another `paths.secondStep`, or by another ' +
      'createSecondStep(), so its user signs in again: keep the old key, behind the new one, as long as sessions live',
  )
}

/**
 * Whether our key in a session holds a login that this site has not begun, as far as it knows: the ring has no key of
 * that name any more, the site's path was another one, or another site has begun it. Nobody can end such a login in the
 * record, so a session that was logged out, and is written back, would go on.
 *
 * A session that is older than the package holds no login.
 */
export function holdsUnknownLogin(
  site: Pick<Site, 'sessions' | 'upstream'>,
  secondStep: unknown,
): boolean {
  const { verified, pending } = Object(secondStep) as { verified?: unknown; pending?: unknown }
  const holdsLogin = verified !== undefined || pending !== undefined
  return holdsLogin && heldIn(site, { secondStep }) === null
}
