import { type Accepted, acceptedOf, isAccepted } from './accepted-methods.js'
import { NO_ROLE, type Policy, ruleFor, STRICTEST_FIRST } from './policy.js'

/**
 * The methods by which an admin must have proved their second step to change the policy like this. Null: any. What a
 * role does not accept for its own users must not open their accounts in the hands of an admin either.
 */
export function acceptedToLoosen(before: Policy, after: Policy): Accepted {
  const roles = Object.keys(before.accepts).filter(
    (role) => acceptsMore(before, after, role) || asksLess(before, after, role),
  )
  return acceptedOf(before, { roles })
}

function acceptsMore(before: Policy, after: Policy, role: string): boolean {
  const old = acceptedOf(before, { roles: [role] })
  const now = acceptedOf(after, { roles: [role] })
  return now === null || now.some((method) => !isAccepted(old, method))
}

/** Whether the mode is milder for somebody who has this role, alone or with another one. */
function asksLess(before: Policy, after: Policy, role: string): boolean {
  const others = [role, NO_ROLE, ...Object.keys(before.roles), ...Object.keys(after.roles)]
  return others.some((other) => mildness(after, [role, other]) > mildness(before, [role, other]))
}

/** A higher number is milder. */
function mildness(policy: Policy, roles: readonly string[]): number {
  const { mode } = ruleFor(policy, { roles, createdAt: null, privileged: false })
  return STRICTEST_FIRST.indexOf(mode)
}
