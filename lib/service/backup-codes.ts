import { backupCodesFor } from '../domain/accepted-methods.js'
import { TOUCHES_BACKUP_CODES } from '../domain/touches.js'
import { withoutTrust } from '../domain/trusted-browsers.js'
import { answerBackupCode } from '../factors/backup-codes/answer.js'
import type { BackupCodeSet } from '../factors/backup-codes/kept.js'
import { type MadeBackupCodes, makeBackupCodes } from '../factors/backup-codes/make.js'
import { readLookUpCode } from '../factors/look-up-code.js'
import type { System } from '../ports/system.js'
import type { Challenge, FollowUp, ProofAnswer, ProofAttempt } from './challenge.js'
import type { CodeLimits } from './code-limits.js'
import type { KeysOfUsers } from './keys-of-users.js'
import type { Records } from './records.js'

/** Makes sets of backup codes. */
export class BackupCodes {
  readonly #challenge: Challenge
  readonly #limits: CodeLimits
  readonly #records: Records
  readonly #keys: KeysOfUsers
  readonly #system: System

  constructor(parts: {
    challenge: Challenge
    limits: CodeLimits
    records: Records
    keys: KeysOfUsers
    system: System
  }) {
    this.#challenge = parts.challenge
    this.#limits = parts.limits
    this.#records = parts.records
    this.#keys = parts.keys
    this.#system = parts.system
  }

  make(userId: string, now: number): Promise<MadeBackupCodes> {
    return makeBackupCodes((bytes) => this.#system.random(bytes), now, this.#keys.of(userId, null))
  }

  /** Whether codes, as people see them, are those of the user's present set. */
  async areOf(
    userId: string,
    set: BackupCodeSet | null,
    [code]: readonly string[],
  ): Promise<boolean> {
    const given = readLookUpCode({ code })
    if (set === null || given === undefined) return false
    const moment = { now: this.#system.now(), window: 0, keys: this.#keys.of(userId, null) }
    return (await answerBackupCode(set, given, moment)).kind !== 'wrong'
  }

  /**
   * Replaces the user's set, with a proof. All earlier codes stop working at once. Reads the policy
   * for each try of the write, as for an admin's change. Takes one of the user's sets of codes of the day.
   */
  replace(attempt: ProofAttempt): Promise<ProofAnswer<readonly string[]>> {
    const replaceSet: FollowUp<readonly string[]> = async (record, now) => {
      const { set, codes } = await this.make(attempt.userId, now)
      return {
        record: { ...withoutTrust(record), backupCodes: set },
        answer: codes,
        events: [{ type: 'backup-codes-made', method: null }],
      }
    }
    const objection = async () => {
      const policy = await this.#records.policy()
      if (!policy.backupCodes) return 'switched-off'
      return backupCodesFor(policy, attempt.subject) ? null : 'stronger-factor-required'
    }
    return this.#limits.countAction('set-of-codes', attempt.userId, () =>
      this.#challenge.answerAnd(attempt, replaceSet, objection, TOUCHES_BACKUP_CODES),
    )
  }
}
