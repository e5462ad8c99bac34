import { FACTOR_METHODS, type FactorMethod } from '../factors/factors.js'
import { acceptedOf, isAccepted } from './accepted-methods.js'
import { acceptedToTouch, isBoundByRoute, type RouteRules } from './route-rules.js'
import type { UserContext } from './standing.js'

/** The methods that count for a user wherever they go: by the rules of their roles and of the routes. */
export function countingEverywhere(
  { record, policy, subject }: UserContext,
  routes: RouteRules,
): readonly FactorMethod[] {
  const ofRoles = acceptedOf(policy, subject)
  const ofRoutes = acceptedToTouch(FACTOR_METHODS, record, routes)
  return FACTOR_METHODS.filter((one) => isAccepted(ofRoles, one) && isAccepted(ofRoutes, one))
}

/**
 * Whether a mail may reset this user. Not where a rule of theirs, or of a route that they can use, says what counts: it
 * does not name the mailbox.
 */
export function mailResetFor(
  { record, policy, subject }: UserContext,
  routes: RouteRules,
): boolean {
  return acceptedOf(policy, subject) === null && !isBoundByRoute(record, routes)
}
