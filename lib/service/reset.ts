import { ruleFor } from '../domain/policy.js'
import { disableByUser, resetByUser } from '../domain/reset.js'
import { TOUCHES_ALL } from '../domain/touches.js'
import type { Challenge, ProofAnswer, ProofAttempt } from './challenge.js'
import type { Records } from './records.js'

/** Lets users delete their authenticator, with a code. */
export class Reset {
  readonly #challenge: Challenge
  readonly #records: Records

  constructor(parts: { challenge: Challenge; records: Records }) {
    this.#challenge = parts.challenge
    this.#records = parts.records
  }

  /** Resets: the user sets up at the next login, and every session ends. */
  reset(attempt: ProofAttempt): Promise<ProofAnswer> {
    return this.#challenge.answerAnd(attempt, resetByUser, undefined, TOUCHES_ALL)
  }

  /**
   * Turns the second step off, if the policy permits it. Every other session ends. Reads the policy
   * for each try, as for an admin's change.
   */
  disable(attempt: ProofAttempt): Promise<ProofAnswer> {
    return this.#challenge.answerAnd(
      attempt,
      disableByUser,
      async () => {
        const { mode } = ruleFor(await this.#records.policy(), attempt.subject)
        return mode === 'required' ? 'required-by-policy' : null
      },
      TOUCHES_ALL,
    )
  }
}
