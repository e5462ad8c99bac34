import { type MadeBackupCodes, makeBackupCodes } from '../factors/backup-codes/make.js'
import type { System } from '../ports/system.js'
import type { Challenge, ProofAnswer, ProofAttempt } from './challenge.js'
import type { KeysOfUsers } from './keys-of-users.js'

/** Makes sets of backup codes. */
export class BackupCodes {
  readonly #challenge: Challenge
  readonly #keys: KeysOfUsers
  readonly #system: System

  constructor(parts: { challenge: Challenge; keys: KeysOfUsers; system: System }) {
    this.#challenge = parts.challenge
    this.#keys = parts.keys
    this.#system = parts.system
  }

  make(userId: string, now: number): Promise<MadeBackupCodes> {
    return makeBackupCodes((bytes) => this.#system.random(bytes), now, this.#keys.of(userId, null))
  }

  /** Replaces the user's set by a proof; all earlier codes are dead at once. */
  replace(attempt: ProofAttempt): Promise<ProofAnswer<readonly string[]>> {
    return this.#challenge.answerAnd(attempt, async (record, now) => {
      const { set, codes } = await this.make(attempt.userId, now)
      return {
        record: { ...record, backupCodes: set },
        answer: codes,
        events: [{ type: 'backup-codes-made', method: null }],
      }
    })
  }
}
