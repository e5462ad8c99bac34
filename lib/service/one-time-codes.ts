import { BYTES_OF_A_BACKUP_CODE, backupCodeFrom, formatBackupCode } from '../domain/backup-codes.js'
import { ONE_TIME_CODE_LASTS, type OneTimeCode } from '../domain/one-time-code.js'
import type { SecondStepRecord } from '../domain/record.js'
import type { Digester } from '../ports/digester.js'
import type { System } from '../ports/system.js'
import { within } from '../ports/within.js'

/** Makes one-time codes, and names a typed one by its digests. They look like backup codes. */
export class OneTimeCodes {
  readonly #digester: Digester
  readonly #system: System

  constructor(parts: { digester: Digester; system: System }) {
    this.#digester = parts.digester
    this.#system = parts.system
  }

  /** A new code, and how people see it: shown once, kept nowhere. */
  async make(
    userId: string,
    now: number,
  ): Promise<{ readonly made: OneTimeCode; readonly code: string }> {
    const id = Buffer.from(this.#system.random(12)).toString('base64url')
    const code = backupCodeFrom(this.#system.random(BYTES_OF_A_BACKUP_CODE))
    const [digest] = await this.#digests(code, userId, id)
    const made = { id, digest, expiresAt: now + ONE_TIME_CODE_LASTS, usedAt: null }
    return { made, code: formatBackupCode(code) }
  }

  /** What a typed code would be kept as, if it were one of the user's. */
  async digestsOf(code: string, { userId, oneTimeCodes }: SecondStepRecord): Promise<string[]> {
    const digests = await Promise.all(oneTimeCodes.map(({ id }) => this.#digests(code, userId, id)))
    return digests.flat()
  }

  #digests(code: string, userId: string, id: string) {
    const context = { purpose: 'one-time-code', userId, setId: id } as const
    return within('the key ring', () => this.#digester.digests(code, context))
  }
}
