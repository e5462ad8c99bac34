import { ruleFor } from '../domain/policy.js'
import { disableByUser, resetByUser } from '../domain/reset.js'
import type { Challenge, CodeAnswer, CodeAttempt } from './challenge.js'

/** Lets a user forget his authenticator, by a code. */
export class Reset {
  readonly #challenge: Challenge

  constructor(challenge: Challenge) {
    this.#challenge = challenge
  }

  /** Set-up comes at the next login; every session ends. */
  reset(attempt: CodeAttempt): Promise<CodeAnswer> {
    return this.#challenge.answerAnd(attempt, resetByUser)
  }

  /** Back to the first step alone, where the policy permits it; every other session ends. */
  async disable(
    attempt: CodeAttempt,
  ): Promise<CodeAnswer | { readonly kind: 'required-by-policy' }> {
    if (ruleFor(attempt.policy, attempt.subject).mode === 'required')
      return { kind: 'required-by-policy' }
    return this.#challenge.answerAnd(attempt, disableByUser)
  }
}
