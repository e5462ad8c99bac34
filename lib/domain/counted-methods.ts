import { FACTOR_METHODS, type FactorMethod } from '../factors/factors.js'
import { type Accepted, isAccepted, lacksAccepted } from './accepted-methods.js'
import type { PendingLogin } from './pending-login.js'
import type { SecondStepRecord } from './record.js'
import { acceptedToLead, acceptedToTouch, type RouteRules } from './route-rules.js'
import type { Touches } from './touches.js'

/** The rules that bind a proof, and what it is for. */
export interface ProofRules {
  /** The pending login that it is given in, or null in a session. */
  readonly pending: PendingLogin | null
  /** The methods that the rules of the user's roles accept. */
  readonly accepted: Accepted
  /** What the app's routes accept. */
  readonly routes: RouteRules
  /** The methods whose proofs the action shows, binds or removes. */
  readonly touches: Touches
}

/**
 * The methods that all rules let prove this. Null: no rule says. In a pending login, one that does not count leads
 * to the set-up of one that does, if the user has none yet.
 *
 * @param opens what a right answer opens. A set-up replaces everything that the user has
 */
export function countedMethods(
  record: SecondStepRecord,
  rules: ProofRules,
  opens: 'session' | 'setup' = 'session',
): Accepted {
  if (leadsToAccepted(record, rules)) return acceptedToLead(record, rules.routes)
  const touched = opens === 'setup' ? FACTOR_METHODS : rules.touches(record)
  const ofRoutes = acceptedToTouch(touched, record, rules.routes)
  if (rules.accepted === null) return ofRoutes
  return rules.accepted.filter((method) => isAccepted(ofRoutes, method))
}

/** Whether a proof in this pending login leads to the set-up of what the rules accept, and no further. */
export function leadsToAccepted(
  record: SecondStepRecord,
  { pending, accepted }: Pick<ProofRules, 'pending' | 'accepted'>,
): boolean {
  return pending !== null && lacksAccepted(record, accepted)
}

/** The methods of which one would do, where each of several lists has refused. */
export function anyOf(lists: readonly (readonly FactorMethod[])[]): readonly FactorMethod[] {
  return FACTOR_METHODS.filter((method) => lists.some((list) => list.includes(method)))
}
