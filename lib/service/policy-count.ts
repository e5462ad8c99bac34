import type { Pauses } from '../domain/pause.js'
import type { Policy } from '../domain/policy.js'
import type { Concern } from '../domain/policy-concern.js'
import type { UserSources } from './every-user.js'

/** Seconds after which it is worth asking for an unfinished count again. */
export const ASK_AGAIN = 5

/** Whom a change of the policy concerns: how many users. */
export interface PolicyCount {
  readonly known: number
  readonly concerned: number
  readonly admins: number
  readonly adminsConcerned: number
  /** The admins who would be led to the set-up at once. */
  readonly adminsNow: number
  readonly of: Readonly<Record<Concern, number>>
  /** Of users whom the new policy would ask for the second step. */
  readonly pauses: Pauses
  /** Of each role of the option `roles`. */
  readonly roles: Readonly<Record<string, { readonly known: number; readonly concerned: number }>>
  /** Users of whom something cannot be read: they are in no other number. */
  readonly unreadable: number
  /** False: the count goes on, and the numbers are at least these. */
  readonly whole: boolean
  /** False: the host has no list, so users without a record are missing. */
  readonly listed: boolean
}

/** The policy as it is, and as it would be. */
export interface PolicyStep {
  readonly before: Policy
  readonly after: Policy
}

export interface PolicyCountParts extends UserSources {
  /** The option. */
  readonly roles: readonly string[]
  /** Milliseconds that one question waits. Default 5000. */
  readonly patience?: number
  /** As of the overview. */
  readonly apart: <T>(run: () => T) => T
}

/** Counts whom changes of the policy concern. */
export interface PolicyCounts {
  /** @throws UnavailableError where the users or their records cannot be read */
  readonly count: (step: PolicyStep) => Promise<PolicyCount>
  /** Ends what is being counted. */
  readonly stop: () => void
}
