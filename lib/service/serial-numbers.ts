import { tokenBySerial } from '../domain/assigned-token.js'
import { CLAIM_LASTS, type SerialClaim, serialKey } from '../domain/serial-claim.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import { UnavailableError } from '../errors/unavailable-error.js'
import type { RecordStore } from '../ports/record-store.js'
import type { System } from '../ports/system.js'
import { within } from '../ports/with-timeout.js'
import type { Records } from './records.js'

const PART = 'the record store'
const TRIES = 10

/** A serial number that is this user's now. */
export interface ClaimedSerial {
  readonly kind: 'claimed'
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
  readonly #records: Records
  readonly #system: System
  readonly #timeout: number

  constructor(parts: { store: RecordStore; records: Records; system: System; timeout: number }) {
    this.#store = parts.store
    this.#records = parts.records
    this.#system = parts.system
    this.#timeout = parts.timeout
  }

  /** Whether the store can keep claims. */
  get isSupported(): boolean {
    return this.#store.findSerial !== undefined && this.#store.writeSerial !== undefined
  }

  /** @throws ConfigurationError where the store keeps no claims, UnavailableError where it does not answer */
  async claim(
    serial: string,
    userId: string,
  ): Promise<ClaimedSerial | { readonly kind: 'serial-in-use' }> {
    this.#requireSupport()
    await this.#records.open()
    const key = serialKey(serial)
    for (let tried = 0; tried < TRIES; tried += 1) {
      const stored = await this.#find(key)
      if (await this.#isAnothers(stored, userId)) return { kind: 'serial-in-use' }
      const claim = this.#following(stored, { serial: key, userId, isHeld: false })
      if (await this.#write(claim)) return { kind: 'claimed', settle: () => this.#settle(claim) }
    }
    throw new UnavailableError(PART, new Error(`lost ${TRIES} races for a serial number`))
  }

  /** Whether `claim` would give it to the user. Writes nothing. @throws as `claim` */
  async isFreeFor(serial: string, userId: string): Promise<boolean> {
    this.#requireSupport()
    await this.#records.open()
    return !(await this.#isAnothers(await this.#find(serialKey(serial)), userId))
  }

  async #isAnothers(stored: SerialClaim | null, userId: string): Promise<boolean> {
    return stored !== null && stored.userId !== userId && (await this.#counts(stored))
  }

  async #counts({ serial, userId, claimedAt, isHeld }: SerialClaim): Promise<boolean> {
    if (tokenBySerial(await this.#records.find(userId), serial) !== null) return true
    // Another request may be about to write the record.
    return !isHeld && this.#system.now() < claimedAt + CLAIM_LASTS
  }

  async #settle(claim: SerialClaim): Promise<void> {
    await this.#write(this.#following(claim, { ...claim, isHeld: true })).catch(() => undefined)
  }

  #following(
    before: SerialClaim | null,
    { serial, userId, isHeld }: Pick<SerialClaim, 'serial' | 'userId' | 'isHeld'>,
  ): SerialClaim {
    const version = (before?.version ?? 0) + 1
    const writeId = Buffer.from(this.#system.random(12)).toString('base64url')
    return { serial, version, writeId, userId, claimedAt: this.#system.now(), isHeld }
  }

  #find(serial: string): Promise<SerialClaim | null> {
    return within(
      PART,
      async () => {
        const stored: unknown = await this.#store.findSerial?.(serial)
        if (stored === null || isClaim(stored, serial)) return stored
        throw new Error('what is stored of a serial number is no claim')
      },
      this.#timeout,
    )
  }

  #write(claim: SerialClaim): Promise<boolean> {
    return within(
      PART,
      async () => (await this.#store.writeSerial?.(claim, claim.version - 1)) === true,
      this.#timeout,
    )
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

function isClaim(stored: unknown, serial: string): stored is SerialClaim {
  if (typeof stored !== 'object' || stored === null) return false
  const { version, userId, claimedAt, isHeld, ...rest } = stored as Partial<SerialClaim>
  return (
    rest.serial === serial &&
    Number.isSafeInteger(version) &&
    typeof userId === 'string' &&
    Number.isSafeInteger(claimedAt) &&
    typeof isHeld === 'boolean'
  )
}
