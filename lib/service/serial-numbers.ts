import { tokenBySerial } from '../domain/assigned-token.js'
import { CLAIM_LASTS, keysWith, type SerialClaim } from '../domain/serial-claim.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import { UnavailableError } from '../errors/unavailable-error.js'
import { isGoodUntil } from '../factors/clock.js'
import { type HardwareToken, isSerial, keyNameOf } from '../factors/hardware-token.js'
import type { RecordStore } from '../ports/record-store.js'
import type { System } from '../ports/system.js'
import type { Records } from './records.js'
import { SerialClaims } from './serial-claims.js'

const PART = 'the record store'
const TRIES = 10

/** A serial number that is this user's now. */
export interface ClaimedSerial {
  readonly kind: 'claimed'
  /** What the token's next code may be at the earliest: 0, unless it was assigned before. */
  readonly next: number
  /**
   * To be called when the user's record was written, or is not going to be. Never rejects: without it
   * the number of a record that has not got the token is free ten minutes later.
   */
  settle(): Promise<void>
}

/**
 * Gives a serial number to one user, before their record holds the token. A claim counts as long as the
 * record of its user has the token, so nothing needs to give it back when a token goes.
 */
export class SerialNumbers {
  readonly #store: RecordStore
  readonly #claims: SerialClaims
  readonly #records: Records
  readonly #system: System

  constructor(parts: { store: RecordStore; records: Records; system: System; timeout: number }) {
    this.#store = parts.store
    this.#claims = new SerialClaims(parts)
    this.#records = parts.records
    this.#system = parts.system
  }

  /** Whether the store can keep claims. */
  get isSupported(): boolean {
    return this.#store.findSerial !== undefined && this.#store.writeSerial !== undefined
  }

  /** @throws ConfigurationError where the store keeps no claims, UnavailableError where it does not answer */
  async claim(
    token: HardwareToken,
    userId: string,
  ): Promise<ClaimedSerial | { readonly kind: 'serial-in-use' }> {
    await this.#open()
    const { serial } = token
    for (let tried = 0; tried < TRIES; tried += 1) {
      const stored = await this.#claims.find(serial)
      const isBound = stored !== null && (await this.#isBound(stored))
      if (this.#isAnothers(stored, isBound, userId)) return { kind: 'serial-in-use' }
      // Of a token that is bound the record knows more.
      const keys = isBound ? stored : keysWith(keyNameOf(token), stored)
      const { keyName, next, earlier } = keys
      const claimed = { userId, isSettled: false, keyName, next, earlier }
      const claim = await this.#claims.follow(serial, stored, claimed)
      if (claim === null) continue
      return { kind: 'claimed', next: next ?? 0, settle: () => this.#settle(claim) }
    }
    throw new UnavailableError(PART, new Error(`lost ${TRIES} races for a serial number`))
  }

  /** Whether `claim` would give it to the user. Writes nothing. @throws as `claim` */
  async isFreeFor(serial: string, userId: string): Promise<boolean> {
    await this.#open()
    const stored = await this.#claims.find(serial)
    const isBound = stored !== null && (await this.#isBound(stored))
    return !this.#isAnothers(stored, isBound, userId)
  }

  /**
   * The user whom a serial number was given to last, by one read: only their record knows whether they
   * have the token. Null: nobody, or the store keeps none.
   */
  async claimantOf(serial: string): Promise<string | null> {
    if (!this.isSupported || !isSerial(serial)) return null
    await this.#records.open()
    return (await this.#claims.find(serial))?.userId ?? null
  }

  /** Whether a token with this number was removed, and nobody has it since. @throws as `claim` */
  async wasRemoved(serial: string): Promise<boolean> {
    await this.#open()
    const stored = await this.#claims.find(serial)
    if (stored === null || (stored.next === null && stored.earlier.length === 0)) return false
    return !(await this.#isBound(stored))
  }

  #isAnothers(stored: SerialClaim | null, isBound: boolean, userId: string): boolean {
    if (stored === null || stored.userId === userId) return false
    if (isBound) return true
    // Another request may be about to write the record.
    const { isSettled, claimedAt } = stored
    return !isSettled && isGoodUntil(claimedAt + CLAIM_LASTS, CLAIM_LASTS, this.#system.now())
  }

  async #isBound({ serial, userId }: SerialClaim): Promise<boolean> {
    return tokenBySerial(await this.#records.find(userId), serial) !== null
  }

  async #settle(claim: SerialClaim): Promise<void> {
    await this.#claims
      .follow(claim.serial, claim, { ...claim, isSettled: true })
      .catch(() => undefined)
  }

  async #open(): Promise<void> {
    this.#requireSupport()
    await this.#records.open()
  }

  #requireSupport(): void {
    for (const method of ['findSerial', 'writeSerial'] as const) {
      if (this.#store[method] !== undefined) continue
      throw new ConfigurationError(
        `hardware tokens need a store with ${method}(), so that a serial number is given once: use redisStore or knexStore, or add it to yours`,
      )
    }
  }
}
