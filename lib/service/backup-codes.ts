import {
  BACKUP_CODES_IN_A_SET,
  type BackupCodeSet,
  BYTES_OF_A_BACKUP_CODE,
  backupCodeFrom,
  formatBackupCode,
  replaceBackupCodes,
} from '../domain/backup-codes.js'
import type { Digester } from '../ports/digester.js'
import type { System } from '../ports/system.js'
import { within } from '../ports/within.js'
import type { Challenge, CodeAnswer, CodeAttempt } from './challenge.js'

/** A new set, and its codes as people see them: shown once, kept nowhere. */
export interface MadeBackupCodes {
  readonly set: BackupCodeSet
  readonly codes: readonly string[]
}

/** Makes sets of backup codes. */
export class BackupCodes {
  readonly #challenge: Challenge
  readonly #digester: Digester
  readonly #system: System

  constructor(parts: { challenge: Challenge; digester: Digester; system: System }) {
    this.#challenge = parts.challenge
    this.#digester = parts.digester
    this.#system = parts.system
  }

  async make(userId: string, now: number): Promise<MadeBackupCodes> {
    const id = Buffer.from(this.#system.random(12)).toString('base64url')
    const codes = Array.from({ length: BACKUP_CODES_IN_A_SET }, () =>
      backupCodeFrom(this.#system.random(BYTES_OF_A_BACKUP_CODE)),
    )
    const context = { purpose: 'backup-code', userId, setId: id } as const
    const digests = await Promise.all(
      codes.map((code) => within('the key ring', () => this.#digester.digests(code, context))),
    )
    const set: BackupCodeSet = {
      id,
      codes: digests.map(([digest]) => ({ digest, usedAt: null })),
      createdAt: now,
      saved: false,
      seenByAdmin: false,
    }
    return { set, codes: codes.map(formatBackupCode) }
  }

  /** Replaces the user's set by a code; all earlier codes are dead at once. */
  replace(attempt: CodeAttempt): Promise<CodeAnswer<readonly string[]>> {
    return this.#challenge.answerAnd(attempt, async (record, now) => {
      const { set, codes } = await this.make(attempt.userId, now)
      return { ...replaceBackupCodes(record, set), answer: codes }
    })
  }
}
