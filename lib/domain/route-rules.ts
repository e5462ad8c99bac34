import { FACTOR_METHODS, type FactorMethod, keyFactorOf } from '../factors/factors.js'
import { hasAccepted } from './accepted-methods.js'
import type { SecondStepRecord } from './record.js'

/** What each route of the app that has such a rule accepts: one list of methods for each. */
export type RouteRules = readonly (readonly FactorMethod[])[]

type HasAuthenticators = Pick<SecondStepRecord, 'authenticators'>

/**
 * The methods whose proofs may show, bind or remove what gives proofs of the touched ones. Null: all. Otherwise a backup
 * code would open a route of app codes in two steps: it shows the app's key, binds an app, or makes the user one who has
 * none and may bind one by the password alone. So a proof touches what a route accepts only if the route accepts the
 * proof itself. Who has nothing that the route accepts may bind the first by what they have.
 */
export function acceptedToTouch(
  touched: readonly FactorMethod[],
  record: HasAuthenticators,
  rules: RouteRules,
): readonly FactorMethod[] | null {
  const binding = rules.filter(
    (accepts) => hasAccepted(record, accepts) && touched.some((one) => accepts.includes(one)),
  )
  const [first, ...others] = binding
  if (first === undefined) return null
  return first.filter((method) => others.every((accepts) => accepts.includes(method)))
}

/**
 * The same of a login that leads to the set-up of what a role's rule accepts, of which the user has nothing. Where the
 * routes have in common nothing that they could prove, only an admin's reset would help, and after that the password alone
 * leads there: so what any of these routes accepts will do. What the user's keys open stays closed to anything less.
 */
export function acceptedToLead(
  record: HasAuthenticators,
  rules: RouteRules,
): readonly FactorMethod[] | null {
  const common = acceptedToTouch(FACTOR_METHODS, record, rules)
  if (common === null || hasAccepted(record, common)) return common
  const keys = record.authenticators.filter(({ type }) => keyFactorOf(type) !== null)
  if (keys.length > 0)
    return acceptedToTouch(FACTOR_METHODS, { authenticators: keys }, rules) ?? common
  const binding = rules.filter((accepts) => hasAccepted(record, accepts))
  return FACTOR_METHODS.filter((method) => binding.some((accepts) => accepts.includes(method)))
}

/**
 * Whether a set-up that a proof has begun may go on with this kind of authenticator. Nobody remembers the method of that
 * proof, but it might touch the kinds of then: so a route that accepts the new kind must accept one of these too.
 */
export function mayGoOnWith(
  kind: FactorMethod,
  touched: readonly FactorMethod[],
  record: HasAuthenticators,
  rules: RouteRules,
): boolean {
  return rules.every(
    (accepts) =>
      !accepts.includes(kind) ||
      !hasAccepted(record, accepts) ||
      touched.some((one) => accepts.includes(one)),
  )
}

/** Whether the user has what a route accepts. No route accepts the mailbox, so no mail resets such a user. */
export function isBoundByRoute(record: HasAuthenticators, rules: RouteRules): boolean {
  return rules.some((accepts) => hasAccepted(record, accepts))
}
