import type { FactorMethod } from '../factors/factors.js'
import type { Actor } from './event.js'

/**
 * `off`: only admins are asked for a code. `optional`: users who have set one up are. `required`:
 * everybody must set one up.
 */
export type PolicyMode = 'off' | 'optional' | 'required'

/**
 * When rules first required an authenticator, in milliseconds. Eased rules keep it: if they are
 * required again, nobody gets new days of grace.
 */
export interface RequiredSince {
  readonly general: number | null
  readonly roles: Readonly<Record<string, number>>
}

/**
 * The one document of settings that can change at run time. A change takes effect at the next
 * request.
 */
export interface Policy {
  /** 0 while no document is stored; each write raises it by one. */
  readonly version: number
  readonly writeId: string
  /** The rule for every user whose roles have no rule of their own. */
  readonly mode: PolicyMode
  /** Rules of single roles. */
  readonly roles: Readonly<Record<string, PolicyMode>>
  /**
   * The methods that count for users of a role; a role that is missing accepts all. For somebody with several
   * roles, what each of them accepts.
   */
  readonly accepts: Readonly<Record<string, readonly FactorMethod[]>>
  /** Whole days in which a user must set up, 0 to 365. Admins get none. */
  readonly graceDays: number
  readonly requiredSince: RequiredSince
  /** Wrong codes a pending login may give before it is over; 3 to 10. */
  readonly codeAttempts: number
  /** Wrong passwords an account may give from one address in 15 minutes; 3 to 20. */
  readonly passwordAttempts: number
  /** Whether backup codes are made and accepted. */
  readonly backupCodes: boolean
  /** When it was last changed, and by whom. Null if nobody has changed it. */
  readonly updatedAt: number | null
  readonly updatedBy: Actor | null
}

/** The policy until somebody changes it. */
export const defaultPolicy: Policy = {
  version: 0,
  writeId: '',
  mode: 'optional',
  roles: {},
  accepts: {},
  graceDays: 7,
  requiredSince: { general: null, roles: {} },
  codeAttempts: 5,
  passwordAttempts: 10,
  backupCodes: true,
  updatedAt: null,
  updatedBy: null,
}

/** The facts about a user that the rules depend on, as the host describes them. */
export interface Subject {
  readonly roles: readonly string[]
  /** When the account was made, in milliseconds. Null if the host does not say. */
  readonly createdAt: number | null
  /** Has one of the host's admin roles: no days of grace. */
  readonly privileged: boolean
}

/** The policy's rule for one user. */
export interface Rule {
  readonly mode: PolicyMode
  /** When it became `required`. Null if it is not, or if that is unknown. */
  readonly since: number | null
  readonly graceDays: number
}

export const STRICTEST_FIRST = ['required', 'optional', 'off'] as const

/**
 * The strictest mode of the user's roles. A role without its own rule has the general one. For
 * admins, `off` counts as `optional`: otherwise an admin's stolen password would open everybody's
 * second step.
 */
export function ruleFor(policy: Policy, { roles, privileged }: Subject): Rule {
  const { mode, since } = roles.length === 0 ? general(policy) : strictestOf(policy, roles)
  return {
    mode: mode === 'off' && privileged ? 'optional' : mode,
    since,
    graceDays: privileged ? 0 : policy.graceDays,
  }
}

/**
 * Somebody whom the host does not find by their id, such as a user under the name that they typed. What
 * a session says of them may be made up, so the strictest rule there is applies, without days of grace.
 */
export function underStrictestRule({ roles, accepts, mode }: Policy): Subject {
  const general = STRICTEST_FIRST.indexOf(mode)
  const stricter = Object.entries(roles).filter(
    ([, ofRole]) => STRICTEST_FIRST.indexOf(ofRole) < general,
  )
  const binding = Object.keys(accepts)
  // Beside roles with a milder rule, one without a rule of its own: the general rule applies too.
  const plain = binding.length === 0 || stricter.length > 0 ? [] : [NO_ROLE]
  return {
    roles: [...stricter.map(([role]) => role), ...binding, ...plain],
    createdAt: null,
    privileged: true,
  }
}

/** No role has this name, so it has no rule of its own. */
export const NO_ROLE = ''

type RuleOfRole = Pick<Rule, 'mode' | 'since'>

function general({ mode, requiredSince }: Policy): RuleOfRole {
  return { mode, since: mode === 'required' ? requiredSince.general : null }
}

/** Asked several times at every request, so it makes no lists. */
function strictestOf(policy: Policy, roles: readonly string[]): RuleOfRole {
  let mode: PolicyMode = 'off'
  let since: number | null = null
  for (const role of roles) {
    const rule = ruleOfRole(policy, role)
    if (STRICTEST_FIRST.indexOf(rule.mode) < STRICTEST_FIRST.indexOf(mode)) mode = rule.mode
    if (rule.since !== null) since = Math.min(rule.since, since ?? rule.since)
  }
  return { mode, since }
}

/** Own properties only: a role may be called `constructor`. */
function ruleOfRole(policy: Policy, role: string): RuleOfRole {
  const { roles, requiredSince } = policy
  const mode = Object.hasOwn(roles, role) ? roles[role] : undefined
  if (mode === undefined) return general(policy)
  const known = mode === 'required' && Object.hasOwn(requiredSince.roles, role)
  return { mode, since: (known ? requiredSince.roles[role] : null) ?? null }
}
