import { type Accepted, acceptedOf, hasAccepted } from './accepted-methods.js'
import type { UserAction } from './admin-actions.js'
import { KEYS, leaveKeysAlone } from './keys-alone.js'
import type { RouteRules } from './route-rules.js'
import type { UserContext } from './standing.js'

/** After these the password alone may do, or lead to the set-up of another device. */
const OPENING: readonly UserAction[] = ['pause', 'reset', 'disable', 'remove-authenticator']

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
  if (!OPENING.includes(action) || !hasAccepted(record, KEYS)) return null
  const accepted = acceptedOf(policy, subject)
  const ofRoles = accepted === null ? [] : [accepted]
  // At a route what counts is what it accepts and the user's roles too.
  const together = [ofRoles, ...routes.flatMap((route) => [[route], [...ofRoles, route]])]
  return together.some((rules) => leaveKeysAlone(rules, policy)) ? KEYS : null
}
