import { askedKeys, withCodes } from '../domain/authenticators.js'
import type { SecondStepRecord } from '../domain/record.js'
import { signsChallenges } from '../factors/factors.js'

/** Counts users whose security keys were made for another domain than the app has now. */
export class MovedKeys {
  readonly #rpId: string
  #users = 0
  #stranded = 0

  constructor(rpId: string) {
    this.#rpId = rpId
  }

  add(record: SecondStepRecord): void {
    const moved = record.authenticators
      .filter(signsChallenges)
      .filter(({ rpId }) => rpId !== this.#rpId)
    if (moved.length === 0) return
    this.#users += 1
    const isAsked = askedKeys(record, { rpId: this.#rpId }).length > 0
    if (!isAsked && withCodes(record).length === 0) this.#stranded += 1
  }

  /** How many users have such keys, and how many of them no other device. */
  get counts(): { readonly users: number; readonly stranded: number } {
    return { users: this.#users, stranded: this.#stranded }
  }

  /** What the operator should know. Empty: every key is of use. */
  sentences(): readonly string[] {
    if (this.#users === 0) return []
    return [
      `${this.#users} users have security keys that were made for another domain than ${this.#rpId}: these are not ` +
        `asked. ${this.#stranded} of them have no other device, and need a backup code, a reset by mail or an admin. ` +
        'If the domain was not meant to change, set webauthn.rpId back.',
    ]
  }
}
