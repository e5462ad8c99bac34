import { noAttempts } from '../domain/attempts.js'
import type { PendingLogin } from '../domain/pending-login.js'
import type { Policy } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import { endStamp, type Method, raiseEpoch, type Stamp } from '../domain/stamp.js'
import type { System } from '../ports/system.js'
import { NO_REQUEST, type Occasion } from './announcer.js'
import type { Records } from './records.js'

/** What a user's standing is decided on. */
export interface Footing {
  readonly record: SecondStepRecord
  readonly policy: Policy
}

/** Begins and ends what sessions carry: stamps and pending logins. */
export class Sessions {
  readonly #records: Records
  readonly #system: System

  constructor(records: Records, system: System) {
    this.#records = records
    this.#system = system
  }

  /** The user's record and the policy, read anew and in parallel. */
  async footing(userId: string): Promise<Footing> {
    const [record, policy] = await Promise.all([this.#records.find(userId), this.#records.policy()])
    return { record, policy }
  }

  /** The policy, read anew. */
  policy(): Promise<Policy> {
    return this.#records.policy()
  }

  /** The stamp of a session in which the second step was just passed, or is not needed. */
  stamp(userId: string, epoch: number, method: Method): Stamp {
    return { id: this.#id(), userId, epoch, method, at: this.#system.now() }
  }

  /** The pending login of somebody who has just passed the first step. */
  pending(first: Omit<PendingLogin, 'id' | 'at'>): PendingLogin {
    return { ...first, id: this.#id(), at: this.#system.now() }
  }

  /** Ends one session for good, even if a slow request writes it back. */
  async end(stamp: Stamp, occasion: Occasion): Promise<void> {
    await this.#records.change(stamp.userId, occasion, (record, now) => ({
      record: endStamp(record, stamp.id, now),
      answer: undefined,
      events: [{ type: 'logged-out', method: stamp.method }],
    }))
  }

  /** Ends every session and pending login of the user. */
  async endAll(userId: string): Promise<void> {
    await this.#records.change(userId, NO_REQUEST, (record) => ({
      record: raiseEpoch(record),
      answer: undefined,
      events: [{ type: 'sessions-ended', method: null }],
    }))
  }

  /**
   * A changed password clears misses, waits and lock: whoever guessed knows it no longer, and the
   * pending logins that were begun with it are over.
   */
  async passwordChanged(userId: string): Promise<void> {
    await this.#records.change(userId, NO_REQUEST, (record, now) => {
      const known = record.version > 0
      return {
        record: known ? { ...record, attempts: noAttempts, passwordChangedAt: now } : record,
        answer: undefined,
        events: [{ type: 'password-changed', method: null }],
      }
    })
  }

  /** The user says that he has put his backup codes away. */
  async backupCodesSaved(userId: string, occasion: Occasion): Promise<void> {
    await this.#records.change(userId, occasion, (record) => {
      const { backupCodes } = record
      if (backupCodes === null || backupCodes.saved)
        return { record, answer: undefined, events: [] }
      return {
        record: { ...record, backupCodes: { ...backupCodes, saved: true } },
        answer: undefined,
        events: [{ type: 'backup-codes-saved', method: null }],
      }
    })
  }

  #id(): string {
    return Buffer.from(this.#system.random(16)).toString('base64url')
  }
}
