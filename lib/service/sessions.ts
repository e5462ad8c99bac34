import { noAttempts } from '../domain/attempts.js'
import type { PendingLogin } from '../domain/pending-login.js'
import type { Policy, Subject } from '../domain/policy.js'
import { endStamp, type Method, raiseEpoch, type Stamp } from '../domain/stamp.js'
import { type Footing, noteRule } from '../domain/standing.js'
import type { System } from '../ports/system.js'
import { NO_REQUEST, type Occasion } from './announcer.js'
import type { Records } from './records.js'

/** Looks up whom the rules are asked about; null where the host has no such user. */
export type FindSubject = (userId: string) => Promise<Subject | null>

/** Begins and ends what sessions carry: stamps and pending logins. */
export class Sessions {
  readonly #records: Records
  readonly #system: System
  readonly #findSubject: FindSubject | null

  /** @param findSubject needed where roles have rules of their own */
  constructor(records: Records, system: System, findSubject: FindSubject | null = null) {
    this.#records = records
    this.#system = system
    this.#findSubject = findSubject
  }

  /**
   * The user's record and the policy, read anew and in parallel. A rule that begins to require a
   * second step of the user is noted in the record, once.
   *
   * @param claimed what the session's user says. While roles have rules it is looked up anew: roles
   *   that were taken away must not live on in a session
   */
  async footing(userId: string, claimed: Subject): Promise<Footing> {
    const [record, policy] = await Promise.all([this.#records.find(userId), this.#records.policy()])
    const lookedUp =
      Object.keys(policy.roles).length > 0 ? await this.#findSubject?.(userId) : undefined
    const footing = { record, policy, subject: lookedUp ?? claimed }
    return noteRule(footing) === record ? footing : this.#noteRule(footing)
  }

  async #noteRule(footing: Footing): Promise<Footing> {
    const { record, policy, subject } = footing
    const noted = await this.#records.change(
      record.userId,
      NO_REQUEST,
      (current) => {
        const next = noteRule({ record: current, policy, subject })
        return { record: next, answer: next.ruleStart, events: [] }
      },
      record,
    )
    // The version is another one now; a change that rests on the old one reads again by itself.
    return { ...footing, record: { ...record, ruleStart: noted } }
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
