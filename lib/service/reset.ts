import { ruleFor } from '../domain/policy.js'
import { disableByUser, resetByUser } from '../domain/reset.js'
import type { Challenge, ProofAnswer, ProofAttempt } from './challenge.js'

/** Lets a user forget his authenticator, by a code. */
export class Reset {
  readonly #challenge: Challenge

  constructor(challenge: Challenge) {
    this.#challenge = challenge
  }

  /** Set-up comes at the next login; every session ends. */
  reset(attempt: ProofAttempt): Promise<ProofAnswer> {
    return this.#challenge.answerAnd(attempt, resetByUser)
  }

  /** Back to the first step alone, where the policy permits it; every other session ends. */
  async disable(
    attempt: ProofAttempt,
  ): Promise<ProofAnswer | { readonly kind: 'required-by-policy' }> {
    if (ruleFor(attempt.policy, attempt.subject).mode === 'required')
      return { kind: 'required-by-policy' }
    return this.#challenge.answerAnd(attempt, disableByUser)
  }
}
