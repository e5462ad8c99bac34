import type { Decision } from '../domain/decision.js'
import { fewMissesADay, fewMissesWithOneMore } from '../domain/miss-budget.js'
import {
  authenticatorById,
  isLast,
  removeByUser,
  renameByUser,
} from '../domain/own-authenticators.js'
import { ruleFor } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import { type Admission, stillAdmitted, type UserContext } from '../domain/standing.js'
import { touchesRemoved } from '../domain/touches.js'
import type { Authenticator } from '../factors/factors.js'
import type { RequestInfo } from './announcer.js'
import type { Challenge, Objection, ProofAnswer, ProofAttempt } from './challenge.js'
import type { CodeLimits } from './code-limits.js'
import type { TooMany } from './places.js'
import type { Records } from './records.js'

/** The user who renames, and their session. */
export interface Renaming extends UserContext {
  readonly admission: Admission
  readonly requestInfo: RequestInfo
}

/** The outcome of a new name. */
export type Renamed =
  | { readonly kind: 'accepted' | 'not-found' | 'name-taken' | 'sign-in-again' }
  | TooMany

/** Wrong codes of a day that lock a user, where they are fewer than three; else null. */
export interface FewMisses {
  readonly now: number | null
  /** With one more device. */
  readonly withOneMore: number | null
}

/** Lets users name and remove their authenticators. */
export class OwnAuthenticators {
  readonly #challenge: Challenge
  readonly #limits: CodeLimits
  readonly #records: Records
  readonly #window: number

  constructor(parts: {
    challenge: Challenge
    limits: CodeLimits
    records: Records
    window: number
  }) {
    this.#challenge = parts.challenge
    this.#limits = parts.limits
    this.#records = parts.records
    this.#window = parts.window
  }

  /** How few wrong codes a day lock the user: as it is, and with one more device. Null: enough. */
  fewMisses(record: SecondStepRecord, types: readonly Authenticator['type'][]): FewMisses {
    return {
      now: fewMissesADay(record, this.#window),
      withOneMore: fewMissesWithOneMore(record, types, this.#window),
    }
  }

  /** Gives one another name, which needs no proof. At most twenty times a day: each is mailed. */
  rename(
    { admission, policy, subject, record, requestInfo }: Renaming,
    { id, name }: { readonly id: string; readonly name: string },
  ): Promise<Renamed> {
    const { userId } = record
    return this.#limits.countAction<Renamed>('rename', userId, () =>
      this.#records.change<Renamed>(
        userId,
        requestInfo,
        (current, now): Decision<Renamed> => {
          if (!stillAdmitted(admission, { record: current, policy, subject }, now)) {
            return { record: current, answer: { kind: 'sign-in-again' }, events: [] }
          }
          const { answer, ...decided } = renameByUser(current, id, name)
          return { ...decided, answer: { kind: answer === 'renamed' ? 'accepted' : answer } }
        },
        record,
      ),
    )
  }

  /**
   * Removes one, with a proof. Every other session ends. The last one only where the policy lets the user do
   * without. Reads the policy for each try, as for an admin's change.
   *
   * @returns whether the second step is off now
   */
  remove(attempt: ProofAttempt, id: string): Promise<ProofAnswer<{ readonly isOff: boolean }>> {
    const objection: Objection = async (record) => {
      if (authenticatorById(record, id) === null) return 'not-found'
      if (!isLast(record, id)) return null
      const { mode } = ruleFor(await this.#records.policy(), attempt.subject)
      return mode === 'required' ? 'required-by-policy' : null
    }
    return this.#challenge.answerAnd(
      attempt,
      (record, now) => {
        const decided = removeByUser(record, id, { window: this.#window, now })
        return { ...decided, answer: { isOff: decided.record.authenticators.length === 0 } }
      },
      objection,
      touchesRemoved(id),
    )
  }
}
