import type { Actor, SecondStepEvent } from './event.js'
import { type Policy, type PolicyMode, type RequiredSince, ruleFor } from './policy.js'

/**
 * A change of the policy at run time. Fields that are not named stay. `roles` replaces the whole
 * map.
 */
export type PolicyChanges = Partial<
  Pick<Policy, 'mode' | 'roles' | 'graceDays' | 'codeAttempts' | 'passwordAttempts' | 'backupCodes'>
>

/** A change that may also name the rules of some roles. Those of the other roles stay. */
export interface PolicyEdit extends PolicyChanges {
  /** The new rule of each named role; `default` removes its own rule. */
  readonly namedRoles?: Readonly<Record<string, PolicyMode | 'default'>>
}

/** The policy fields that an admin may change. */
export const CHANGEABLE = [
  'mode',
  'roles',
  'graceDays',
  'codeAttempts',
  'passwordAttempts',
  'backupCodes',
] as const satisfies readonly (keyof PolicyChanges)[]

/**
 * The policy after a change, and the event that names the changed members alone.
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
  return {
    policy: {
      ...next,
      requiredSince: requiredSince(policy, next, now),
      updatedAt: now,
      updatedBy: by,
    },
    events: [{ type: 'policy-changed', method: null, detail: { changed } }],
  }
}

/** Merged here, with the policy that is written over: an older copy would undo another admin's rule. */
function merged(policy: Policy, { namedRoles, ...changes }: PolicyEdit): PolicyChanges {
  if (namedRoles === undefined) return changes
  const rules = new Map(Object.entries(changes.roles ?? policy.roles))
  for (const [role, mode] of Object.entries(namedRoles)) {
    if (mode === 'default') rules.delete(role)
    else rules.set(role, mode)
  }
  return { ...changes, roles: Object.fromEntries(rules) }
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
  const byName = ([one]: [string, PolicyMode], [other]: [string, PolicyMode]) =>
    one < other ? -1 : 1
  return Object.entries(value).sort(byName)
}
