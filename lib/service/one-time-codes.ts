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
}
