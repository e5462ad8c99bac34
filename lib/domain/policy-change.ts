import type { RelyingParty } from '../factors/ceremony.js'
import type { FactorMethod } from '../factors/factors.js'
import { acceptedOf, acceptsAuthenticators, hasAccepted, isAccepted } from './accepted-methods.js'
import { askedKeys, withCodes } from './authenticators.js'
import type { Actor, SecondStepEvent } from './event.js'
import { canHave, type OfferedTypes } from './havable.js'
import { acceptedToLoosen } from './loosened-rules.js'
import { type Policy, type PolicyMode, type RequiredSince, ruleFor } from './policy.js'
import type { RouteRules } from './route-rules.js'
import type { Stamp } from './stamp.js'
import type { UserContext } from './standing.js'

/**
 * A change of the policy at run time. Fields that are not named stay. `roles` and `accepts` replace the
 * whole map.
 */
export type PolicyChanges = Partial<
  Pick<
    Policy,
    'mode' | 'roles' | 'accepts' | 'graceDays' | 'codeAttempts' | 'passwordAttempts' | 'backupCodes'
  >
>

/** A change that may also name the rules of some roles. Those of the other roles stay. */
export interface PolicyEdit extends PolicyChanges {
  /** The new rule of each named role; `default` removes its own rule. */
  readonly namedRoles?: Readonly<Record<string, PolicyMode | 'default'>>
  /** The methods that each named role accepts; `default` removes its rule. */
  readonly namedAccepts?: Readonly<Record<string, readonly FactorMethod[] | 'default'>>
}

/** The policy fields that an admin may change. */
export const CHANGEABLE = [
  'mode',
  'roles',
  'accepts',
  'graceDays',
  'codeAttempts',
  'passwordAttempts',
  'backupCodes',
] as const satisfies readonly (keyof PolicyChanges)[]

/**
 * The policy after a change, and the event that names the changed members alone, as they are and as they were.
 *
 * @returns the very policy that came in where nothing changes
 */
export function changePolicy(
  policy: Policy,
  edit: PolicyEdit,
  by: Actor,
  now: number,
): { readonly policy: Policy; readonly events: readonly SecondStepEvent[] } {
  const changes = merged(policy, edit)
  const changed = Object.fromEntries(
    CHANGEABLE.map((name) => [name, changes[name]] as const).filter(
      ([name, value]) => value !== undefined && !same(value, policy[name]),
    ),
  )
  if (Object.keys(changed).length === 0) return { policy, events: [] }
  const next = { ...policy, ...changed }
  const before = Object.fromEntries(
    CHANGEABLE.filter((name) => Object.hasOwn(changed, name)).map((name) => [name, policy[name]]),
  )
  return {
    policy: {
      ...next,
      requiredSince: requiredSince(policy, next, now),
      updatedAt: now,
      updatedBy: by,
    },
    events: [{ type: 'policy-changed', method: null, detail: { changed, before } }],
  }
}

/** Merged here, with the policy that is written over: an older copy would undo another admin's rule. */
function merged(policy: Policy, edit: PolicyEdit): PolicyChanges {
  const { namedRoles, namedAccepts, ...changes } = edit
  return {
    ...changes,
    ...(namedRoles === undefined
      ? {}
      : { roles: withNamed(changes.roles ?? policy.roles, namedRoles) }),
    ...(namedAccepts === undefined
      ? {}
      : { accepts: withNamed(changes.accepts ?? policy.accepts, namedAccepts) }),
  }
}

function withNamed<Rule>(
  present: Readonly<Record<string, Rule>>,
  named: Readonly<Record<string, Rule | 'default'>>,
): Readonly<Record<string, Rule>> {
  const rules = new Map(Object.entries(present))
  for (const [role, rule] of Object.entries(named)) {
    if (rule === 'default') rules.delete(role)
    else rules.set(role, rule)
  }
  return Object.fromEntries(rules)
}

/** The admin who changes the policy, with their authenticators, and the stamp of their fresh proof. */
export interface PolicyAdmin extends Pick<UserContext, 'record' | 'subject'> {
  readonly stamp: Pick<Stamp, 'method'> | null
}

/** What the host has for its users. */
export interface OfferedHere {
  /** Whose keys can answer. Null: the host has no WebAuthn. */
  readonly relyingParty: Pick<RelyingParty, 'rpId'> | null
  readonly types: OfferedTypes
  /** What its routes accept. */
  readonly routes: RouteRules
  /** The host has backup codes at all, whatever the policy says. */
  readonly backupCodes: boolean
}

/** Why a change of the policy is refused. */
export type PolicyRefusal =
  /** The rules accept no kind of authenticator in common: who has these roles together could never sign in. */
  | { readonly kind: 'nothing-in-common' }
  /** New rules accept security keys alone, which nobody can set up here. */
  | { readonly kind: 'no-keys-here' }
  /**
   * The admin has nothing of use now that the new rules of their own roles accept, and would shut themselves out. Or they
   * loosen rules that do not accept what they have just proved their second step by.
   */
  | { readonly kind: 'stronger-factor-required'; readonly accepts: readonly FactorMethod[] }

/**
 * The reason why the policy may not become this one, or null. Rules that stay are not looked at: a policy of another
 * app on the same store must not stop a change of anything else.
 *
 * @param admin null: the operator, who needs no second step
 */
export function policyRefusal(
  before: Policy,
  after: Policy,
  admin: PolicyAdmin | null,
  { relyingParty, types, routes, backupCodes }: OfferedHere,
): PolicyRefusal | null {
  const inForce = (policy: Policy) => (backupCodes ? policy : { ...policy, backupCodes })
  const needed = admin === null ? null : acceptedToLoosen(inForce(before), inForce(after), routes)
  if (needed !== null && !isAccepted(needed, admin?.stamp?.method ?? 'none')) {
    return { kind: 'stronger-factor-required', accepts: needed }
  }
  if (same(before.accepts, after.accepts)) return null
  const all = acceptedOf(after, { roles: Object.keys(after.accepts) })
  if (all !== null && !acceptsAuthenticators(all)) return { kind: 'nothing-in-common' }
  if (leavesKeysAlone(before, after, types)) return { kind: 'no-keys-here' }
  if (admin === null) return null
  const own = acceptedOf(after, admin.subject)
  // A suspended key, or one of another domain, would shut them out as none does.
  const usable = [...withCodes(admin.record), ...askedKeys(admin.record, relyingParty)]
  if (own === null || hasAccepted({ authenticators: usable }, own)) return null
  return { kind: 'stronger-factor-required', accepts: own }
}

/**
 * Whether a new rule, by itself or with any other, leaves what nobody can have here. A stored one that does so by itself
 * is another app's. Two at a time are enough: without keys there are two kinds of device.
 */
function leavesKeysAlone(before: Policy, after: Policy, types: OfferedTypes): boolean {
  const isHad = (...roles: string[]) =>
    acceptedOf(after, { roles })?.some((method) => canHave(method, types)) ?? true
  const changed = rolesOfNewRules(before, after)
  const others = Object.keys(after.accepts).filter((role) => isHad(role))
  return changed.some((role) => !isHad(role) || others.some((other) => !isHad(role, other)))
}

function rolesOfNewRules(before: Policy, after: Policy): readonly string[] {
  const ruleOf = ({ accepts }: Policy, role: string) =>
    Object.hasOwn(accepts, role) ? String(accepts[role]) : null
  return Object.keys(after.accepts).filter((role) => ruleOf(before, role) !== ruleOf(after, role))
}

/**
 * When each rule first required a second step. An eased rule keeps its start: if it is required
 * again, nobody gets new days of grace.
 */
function requiredSince(before: Policy, after: Policy, now: number): RequiredSince {
  const { general, roles } = before.requiredSince
  const required = Object.entries(after.roles).filter(([, mode]) => mode === 'required')
  const starts = required.flatMap(([role]) => {
    const since = startOfRole(before, role, now)
    return since === null ? [] : [[role, since] as const]
  })
  return {
    general: general ?? (after.mode === 'required' && before.mode !== 'required' ? now : null),
    roles: { ...roles, ...Object.fromEntries(starts) },
  }
}

/** If the general rule required it of a role until now, the role's own rule gets no later start. */
function startOfRole(before: Policy, role: string, now: number): number | null {
  const { roles } = before.requiredSince
  const known = Object.hasOwn(roles, role) ? roles[role] : undefined
  if (known !== undefined) return known
  const rule = ruleFor(before, { roles: [role], createdAt: null, privileged: false })
  return rule.mode === 'required' ? rule.since : now
}

type Value = PolicyChanges[keyof PolicyChanges]

function same(one: Value, other: Value): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))
}

/** The order of the roles' names has no meaning. */
function sorted(value: Value): unknown {
  if (typeof value !== 'object') return value
  return Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
}
