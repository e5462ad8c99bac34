import { AUTHENTICATOR_TYPES, type FactorMethod } from '../factors/factors.js'
import type { Policy, Subject } from './policy.js'
import type { SecondStepRecord } from './record.js'
import type { Method } from './stamp.js'

/** The methods that rules accept of a user. Null: no rule says, so every method counts. */
export type Accepted = readonly FactorMethod[] | null

type HasAuthenticators = Pick<SecondStepRecord, 'authenticators'>

/**
 * The methods that every rule of the user's roles accepts. Rules that have none in common accept nothing:
 * to take the weaker rule would open what the stronger one closes.
 */
export function acceptedOf(
  { accepts }: Pick<Policy, 'accepts'>,
  { roles }: Pick<Subject, 'roles'>,
): Accepted {
  let accepted: Accepted = null
  for (const role of roles) {
    const own = Object.hasOwn(accepts, role) ? accepts[role] : undefined
    if (own === undefined) continue
    accepted = accepted === null ? own : accepted.filter((method) => own.includes(method))
  }
  return accepted
}

/** Whether a proof of this method counts. `none` is no proof, so it never counts where a rule says. */
export function isAccepted(accepted: Accepted, method: Method): boolean {
  return accepted === null || accepted.some((one) => one === method)
}

/** Whether the user has an authenticator that a rule, of a role or of a route, accepts: one that binds them to the rule. */
export function hasAccepted({ authenticators }: HasAuthenticators, accepted: Accepted): boolean {
  return authenticators.some(({ type }) => isAccepted(accepted, type))
}

/** Whether a rule accepts any kind of authenticator at all. */
export function acceptsAuthenticators(accepted: readonly FactorMethod[]): boolean {
  const types: readonly FactorMethod[] = AUTHENTICATOR_TYPES
  return accepted.some((method) => types.includes(method))
}

/**
 * Whether a rule binds the user, and they have no authenticator that it accepts yet. What they have leads to the
 * set-up of one, and opens nothing else: otherwise a new rule would lock out everybody whom it is for.
 */
export function lacksAccepted(record: HasAuthenticators, accepted: Accepted): boolean {
  return accepted !== null && acceptsAuthenticators(accepted) && !hasAccepted(record, accepted)
}

/** The user's authenticators whose proofs are of use now: those that count, or all that lead to such a one. */
export function authenticatorsAsked({
  record,
  policy,
  subject,
}: {
  readonly record: HasAuthenticators
  readonly policy: Pick<Policy, 'accepts'>
  readonly subject: Pick<Subject, 'roles'>
}): HasAuthenticators {
  const accepted = acceptedOf(policy, subject)
  if (accepted === null || lacksAccepted(record, accepted)) return record
  return { authenticators: record.authenticators.filter(({ type }) => isAccepted(accepted, type)) }
}

/** Whether backup codes are made for this user, and accepted. */
export function backupCodesFor(policy: Policy, subject: Pick<Subject, 'roles'>): boolean {
  return policy.backupCodes && isAccepted(acceptedOf(policy, subject), 'backup-code')
}
