import { type Accepted, acceptedOf, hasAccepted } from './accepted-methods.js'
import type { UserAction } from './admin-actions.js'
import type { RouteRules } from './route-rules.js'
import type { UserContext } from './standing.js'

/** After these the password alone may do, or lead to the set-up of another device. */
const OPENING: readonly UserAction[] = ['pause', 'reset', 'disable', 'remove-authenticator']

/** What cannot be relayed. */
const KEYS = ['webauthn'] as const

/**
 * The methods by which an admin must have proved their second step for this action. Null: any. Who is bound to security
 * keys is proof against phishing only if nobody opens their account by an admin's code that was relayed. A rule of codes
 * asks for none of them: an admin without a fob may hand out fobs.
 */
export function acceptedToOpen(
  action: UserAction,
  { record, policy, subject }: UserContext,
  routes: RouteRules,
): Accepted {
  if (!OPENING.includes(action)) return null
  const ofRoles = acceptedOf(policy, subject)
  const ofKeys = rulesOf(ofRoles, routes).filter((rule) =>
    rule.every((method) => method === 'webauthn'),
  )
  return ofKeys.some((rule) => hasAccepted(record, rule)) ? KEYS : null
}

/** At a route what counts is what it accepts and the user's roles too: together they may leave keys alone. */
function rulesOf(ofRoles: Accepted, routes: RouteRules): RouteRules {
  if (ofRoles === null) return routes
  const together = routes.map((rule) => rule.filter((method) => ofRoles.includes(method)))
  return [ofRoles, ...routes, ...together.filter((rule) => rule.length > 0)]
}
