import { AUTHENTICATOR_TYPES, FACTOR_METHODS, type FactorMethod } from '../factors/factors.js'
import { type Accepted, acceptedOf, isAccepted } from './accepted-methods.js'
import { KEYS, leaveKeysAlone } from './keys-alone.js'
import { NO_ROLE, type Policy, ruleFor, STRICTEST_FIRST } from './policy.js'
import type { RouteRules } from './route-rules.js'

/**
 * The methods by which an admin must have proved their second step to change the policy like this. Null: any. What a
 * role does not accept for its own users must not open their accounts in the hands of an admin either.
 */
export function acceptedToLoosen(before: Policy, after: Policy, routes: RouteRules): Accepted {
  const dropped = droppedKinds(before, after)
  const roles = Object.keys(before.accepts).filter(
    (role) =>
      acceptsMore(before, after, role) ||
      asksLess(before, after, role) ||
      before.accepts[role]?.some((method) => dropped.includes(method)),
  )
  const ofRoles = acceptedOf(before, { roles })
  const unbinds = addsToKeys(before, after, routes) || dropsKeys(before, after, routes)
  return unbinds ? KEYS.filter((method) => isAccepted(ofRoles, method)) : ofRoles
}

/**
 * Whether something else comes to open what keys alone opened, to somebody of several roles or at a route. Of the rules that
 * will let it through all bind the one whom most of them bind.
 */
function addsToKeys(before: Policy, after: Policy, routes: RouteRules): boolean {
  const rules = Object.entries(before.accepts)
  return FACTOR_METHODS.filter((method) => method !== 'webauthn').some((method) => {
    if (method === 'backup-code' && !after.backupCodes) return false
    const letThrough = rules.filter(
      ([role, rule]) =>
        rule.includes('webauthn') && isAccepted(acceptedOf(after, { roles: [role] }), method),
    )
    const ofRoles = letThrough.map(([, rule]) => rule)
    const atRoutes = routes.filter((route) => route.includes(method))
    return [[], ...atRoutes.map((route) => [route])].some((route) =>
      leaveKeysAlone([...ofRoles, ...route], before),
    )
  })
}

/**
 * Whether keys no longer count for a role, where they alone pass a route, perhaps only beside the rule of a role: their
 * owners would have to set up something else in their place, and would then be bound by nothing.
 */
function dropsKeys(before: Policy, after: Policy, routes: RouteRules): boolean {
  const isDropped = droppedKinds(before, after).includes('webauthn')
  const withKeys = Object.values(before.accepts).filter((rule) => rule.includes('webauthn'))
  return isDropped && routes.some((route) => leaveKeysAlone([...withKeys, route], before))
}

/**
 * The kinds of device that some role no longer accepts. Whoever has nothing else that counts is then led to a set-up by
 * whatever they have, also by what their rule of before refused.
 */
function droppedKinds(before: Policy, after: Policy): readonly FactorMethod[] {
  return AUTHENTICATOR_TYPES.filter((kind) =>
    Object.keys(after.accepts).some(
      (role) =>
        isAccepted(acceptedOf(before, { roles: [role] }), kind) &&
        !isAccepted(acceptedOf(after, { roles: [role] }), kind),
    ),
  )
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
