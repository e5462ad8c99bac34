import { backupCodesLeft } from '../domain/backup-codes.js'
import { authenticatorBlock } from '../domain/challenge.js'
import type { System } from '../ports/system.js'
import type { Records } from './records.js'

/** A user's second step, in a few words. */
export interface SecondStepStatus {
  /** The first that applies. */
  readonly state: 'locked' | 'on' | 'off'
  /** Since when the authenticator is bound, or null. */
  readonly since: Date | null
  readonly backupCodesLeft: number
  /** Until when the authenticator is locked, or null. Backup codes work all the same. */
  readonly lockedUntil: Date | null
}

/** Tells the host about its users. */
export class Status {
  readonly #records: Records
  readonly #system: System
  readonly #window: number

  constructor(records: Records, system: System, window: number) {
    this.#records = records
    this.#system = system
    this.#window = window
  }

  /** @throws UnavailableError where it cannot be known */
  async of(userId: string): Promise<SecondStepStatus> {
    const record = await this.#records.find(userId)
    const { authenticator } = record
    const block = authenticatorBlock(record, this.#window, this.#system.now())
    const locked = block?.locked === true ? new Date(block.until) : null
    return {
      state: authenticator === null ? 'off' : locked === null ? 'on' : 'locked',
      since: authenticator === null ? null : new Date(authenticator.since),
      backupCodesLeft: backupCodesLeft(record.backupCodes),
      lockedUntil: locked,
    }
  }
}
