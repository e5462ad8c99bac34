import type { Authenticator } from '../factors/factors.js'
import { enrolledSince } from './authenticators.js'
import { type GroupedBy, graceEndOf, isInGroup } from './groups.js'
import { addPause, NO_PAUSES, type Pauses, pauseOf } from './pause.js'
import type { UserContext } from './standing.js'
import { type State, stateOf } from './state.js'
import { DAY_MS } from './units.js'

/** How many days an overview shows, today included. */
export const OVERVIEW_DAYS = 30

/** How many users an overview has counted, and in which state. */
export interface OverviewCounts {
  readonly users: number
  readonly states: Readonly<Record<State, number>>
  /** Must set up, and the time for it is over. */
  readonly late: number
  /** Must set up, and may still sign in without. */
  readonly inGrace: number
  /** When the first and the last of these days of grace end, in milliseconds. Null: nobody has any. */
  readonly graceEnds: { readonly first: number; readonly last: number } | null
  /** Of those who are paused. */
  readonly pauses: Pauses
  /** Enrolled users whose set has three codes or fewer, or who have none. */
  readonly fewBackupCodes: number
  /** Enrolled users who have not said that their codes are saved. */
  readonly unsavedBackupCodes: number
  /** Users who have at least one such authenticator. */
  readonly factors: Readonly<Record<Authenticator['type'], number>>
  /** By the names of the policy's roles. A user with two of them counts in both. */
  readonly roles: ReadonlyMap<string, RoleCounts>
  /** Enrolled users by the day since when, the oldest of `OVERVIEW_DAYS` first. */
  readonly setUp: readonly number[]
}

export interface RoleCounts {
  readonly users: number
  readonly enrolled: number
}

/** A user to be counted. Null: the record or the user cannot be read, so they count as on (and broken), never as off. */
export type CountedUser = Omit<UserContext, 'policy'> | null

/** What users are counted by. */
export interface CountedBy extends Pick<UserContext, 'policy'>, GroupedBy {
  readonly roles: readonly string[]
  /** Steps before and after the current one that are accepted. */
  readonly window: number
}

/** Nobody is counted yet. */
export function noCounts(roles: readonly string[]): OverviewCounts {
  return {
    users: 0,
    states: { on: 0, off: 0, 'must-set-up': 0, paused: 0, locked: 0 },
    late: 0,
    inGrace: 0,
    graceEnds: null,
    pauses: NO_PAUSES,
    fewBackupCodes: 0,
    unsavedBackupCodes: 0,
    factors: { totp: 0, hotp: 0, webauthn: 0 },
    roles: new Map(roles.map((role) => [role, { users: 0, enrolled: 0 }])),
    setUp: Array.from({ length: OVERVIEW_DAYS }, () => 0),
  }
}

/** Adds a user to what was counted before. */
export function countUser(
  before: OverviewCounts,
  user: CountedUser,
  by: CountedBy,
): OverviewCounts {
  const { users, states, roles } = before
  const state = user === null ? 'on' : stateOf({ ...user, policy: by.policy }, by.window, by.now)
  const isEnrolled = isEnrolledState(state)
  const next = {
    ...before,
    users: users + 1,
    states: { ...states, [state]: states[state] + 1 },
    roles: user === null ? roles : withRoles(roles, user.subject.roles, isEnrolled),
  }
  if (user === null) return next
  return isEnrolled
    ? withEnrolled(next, user, by, state === 'paused')
    : withDeadline(next, user, by)
}

/** How many have a second step. */
export function enrolledIn({ states }: Pick<OverviewCounts, 'states'>): number {
  return states.on + states.paused + states.locked
}

/** Whether users in this state have a second step. */
export function isEnrolledState(state: string): boolean {
  return state === 'on' || state === 'paused' || state === 'locked'
}

/** The day of a moment: whole days since 1970, in UTC. */
export function dayOf(time: number): number {
  return Math.floor(time / DAY_MS)
}

function withRoles(
  counts: OverviewCounts['roles'],
  roles: readonly string[],
  isEnrolled: boolean,
): OverviewCounts['roles'] {
  const next = new Map(counts)
  for (const role of new Set(roles)) {
    const known = next.get(role)
    if (known === undefined) continue
    const { users, enrolled } = known
    next.set(role, { users: users + 1, enrolled: enrolled + Number(isEnrolled) })
  }
  return next
}

function withEnrolled(
  counts: OverviewCounts,
  user: NonNullable<CountedUser>,
  by: CountedBy,
  isPaused: boolean,
): OverviewCounts {
  const { record } = user
  const userContext = { ...user, policy: by.policy }
  const pause = isPaused ? pauseOf(userContext, by.now) : null
  const few = isInGroup('few-backup-codes', userContext, by)
  const unsaved = isInGroup('unsaved-backup-codes', userContext, by)
  const factors = { ...counts.factors }
  for (const type of new Set(record.authenticators.map((one) => one.type))) factors[type] += 1
  const at = OVERVIEW_DAYS - 1 - Math.max(0, dayOf(by.now) - dayOf(enrolledSince(record) ?? 0))
  return {
    ...counts,
    pauses: pause === null ? counts.pauses : addPause(counts.pauses, pause),
    fewBackupCodes: counts.fewBackupCodes + Number(few),
    unsavedBackupCodes: counts.unsavedBackupCodes + Number(unsaved),
    factors,
    setUp: at < 0 ? counts.setUp : counts.setUp.with(at, (counts.setUp[at] ?? 0) + 1),
  }
}

function withDeadline(
  counts: OverviewCounts,
  user: NonNullable<CountedUser>,
  by: CountedBy,
): OverviewCounts {
  const userContext = { ...user, policy: by.policy }
  if (isInGroup('late', userContext, by)) return { ...counts, late: counts.late + 1 }
  const deadline = graceEndOf(userContext, by.now)
  if (deadline === null) return counts
  const { first, last } = counts.graceEnds ?? { first: deadline, last: deadline }
  return {
    ...counts,
    inGrace: counts.inGrace + 1,
    graceEnds: { first: Math.min(first, deadline), last: Math.max(last, deadline) },
  }
}
