import { readLookUpCode } from '../factors/look-up-code.js'
import { answerOneTimeCode } from '../factors/one-time-codes/answer.js'
import type { OneTimeCode } from '../factors/one-time-codes/kept.js'
import { type MadeOneTimeCode, makeOneTimeCode } from '../factors/one-time-codes/make.js'
import type { System } from '../ports/system.js'
import type { KeysOfUsers } from './keys-of-users.js'

/** Makes one-time codes. They look like backup codes. */
export class OneTimeCodes {
  readonly #keys: KeysOfUsers
  readonly #system: System

  constructor(parts: { keys: KeysOfUsers; system: System }) {
    this.#keys = parts.keys
    this.#system = parts.system
  }

  make(userId: string, now: number): Promise<MadeOneTimeCode> {
    return makeOneTimeCode((bytes) => this.#system.random(bytes), now, this.#keys.of(userId, null))
  }

  /** Whether a code, as people see it, is one of the user's that would still be accepted. */
  async isOpen(
    userId: string,
    kept: readonly OneTimeCode[],
    [code]: readonly string[],
  ): Promise<boolean> {
    const given = readLookUpCode({ code })
    if (given === undefined) return false
    const moment = { now: this.#system.now(), window: 0, keys: this.#keys.of(userId, null) }
    return (await answerOneTimeCode(kept, given, moment)).kind === 'right'
  }
}
