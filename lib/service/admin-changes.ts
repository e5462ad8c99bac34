import { isAccepted } from '../domain/accepted-methods.js'
import type { UserAction } from '../domain/admin-actions.js'
import { acceptedToOpen } from '../domain/admin-proof.js'
import type { AdminVerdict } from '../domain/administration.js'
import type { Decision } from '../domain/decision.js'
import type { Subject } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import type { Method } from '../domain/stamp.js'
import type { UserContext } from '../domain/standing.js'
import { type State, stateOf } from '../domain/state.js'
import type { FactorMethod } from '../factors/factors.js'
import type { System } from '../ports/system.js'
import type { RequestInfo } from './announcer.js'
import type { MountedRules } from './mounted-rules.js'
import type { Records } from './records.js'

/** One change by an admin or the operator. */
export interface AdminChange {
  /** The user's id in the records. */
  readonly userId: string
  /** The subject is the user who is changed, not the admin. */
  readonly subject: Subject
  /** `actor` and `reason` say who does it and why. */
  readonly requestInfo: RequestInfo
  /** What an admin does, and what their fresh proof was given by. Default: the operator does it. */
  readonly byAdmin?: { readonly action: UserAction; readonly method: Method }
  /** Whether to write nothing, and answer as if it were done. Default: false. */
  readonly dryRun?: boolean
}

/** The outcome of a change. `done` with the present state, also if there was nothing to change. */
export type AdminAnswer<Result = undefined> =
  | {
      readonly kind: 'done'
      readonly state: State
      readonly result: Result
      readonly changed: boolean
    }
  | { readonly kind: Exclude<AdminVerdict, 'done'> }
  /** The admin must prove their own second step by one of these. */
  | { readonly kind: 'stronger-factor-required'; readonly accepts: readonly FactorMethod[] }

/** What a change decides, and what its caller is told beside the state. */
export interface Decided<Result> extends Decision<AdminVerdict> {
  readonly result: Result
}

/** Decides on a user's record and the present policy. */
export type Decide<Result> = (
  userContext: UserContext,
  now: number,
) => Decided<Result> | Promise<Decided<Result>>

/** Changes the record of one user as an admin wants it. */
export class AdminChanges {
  readonly #records: Records
  readonly #system: System
  readonly #window: number
  readonly #mountedRules: Pick<MountedRules, 'rules'>

  constructor(parts: {
    records: Records
    system: System
    window: number
    /** What the app's routes accept. */
    mountedRules: Pick<MountedRules, 'rules'>
  }) {
    this.#records = parts.records
    this.#mountedRules = parts.mountedRules
    this.#system = parts.system
    this.#window = parts.window
  }

  make<Result>(change: AdminChange, decide: Decide<Result>): Promise<AdminAnswer<Result>> {
    const { userId, requestInfo, dryRun = false } = change
    if (dryRun) return this.preview(change, decide)
    return this.#records.change<AdminAnswer<Result>>(userId, requestInfo, (record, now) =>
      this.#decided(change, record, now, decide),
    )
  }

  /** What `make` would answer now. Writes nothing. */
  async preview<Result>(change: AdminChange, decide: Decide<Result>): Promise<AdminAnswer<Result>> {
    const record = await this.#records.find(change.userId)
    return (await this.#decided(change, record, this.#system.now(), decide)).answer
  }

  /** Reads the policy for each try, so that a rule changed meanwhile counts for this change. */
  async #decided<Result>(
    { subject, byAdmin }: AdminChange,
    record: SecondStepRecord,
    now: number,
    decide: Decide<Result>,
  ): Promise<Decision<AdminAnswer<Result>>> {
    const userContext = { record, policy: await this.#records.policy(), subject }
    if (byAdmin !== undefined) {
      const accepted = acceptedToOpen(byAdmin.action, userContext, this.#mountedRules.rules)
      if (accepted !== null && !isAccepted(accepted, byAdmin.method)) {
        const answer = { kind: 'stronger-factor-required', accepts: accepted } as const
        return { record, answer, events: [] }
      }
    }
    const { answer: verdict, result, ...decided } = await decide(userContext, now)
    const state = stateOf({ ...userContext, record: decided.record }, this.#window, now)
    if (verdict !== 'done') return { ...decided, answer: { kind: verdict } }
    // A note changes no record, and is more than nothing.
    const changed = decided.record !== record || decided.events.length > 0
    return { ...decided, answer: { kind: verdict, state, result, changed } }
  }
}
