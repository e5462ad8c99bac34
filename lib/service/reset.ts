import { ruleFor } from '../domain/policy.js'
import { disableByUser, resetByUser } from '../domain/reset.js'
import type { Challenge, ProofAnswer, ProofAttempt } from './challenge.js'
import type { Records } from './records.js'

/** Lets users forget their authenticator, by a code. */
export class Reset {
  readonly #challenge: Challenge
  readonly #records: Records

  constructor(parts: { challenge: Challenge; records: Records }) {
    this.#challenge = parts.challenge
    this.#records = parts.records
  }

  /** Set-up comes at the next login; every session ends. */
  reset(attempt: ProofAttempt): Promise<ProofAnswer> {
    return this.#challenge.answerAnd(attempt, resetByUser)
  }

  /**
   * Back to the first step alone, where the policy permits it; every other session ends. The policy is
   * read for each try, as for an admin's change.
   */
  disable(attempt: ProofAttempt): Promise<ProofAnswer> {
    return this.#challenge.answerAnd(attempt, disableByUser, async () => {
      const { mode } = ruleFor(await this.#records.policy(), attempt.subject)
      return mode === 'required' ? 'required-by-policy' : null
    })
  }
}
