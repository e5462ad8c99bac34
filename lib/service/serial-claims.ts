import { type KeyPlace, type SerialClaim, serialKey } from '../domain/serial-claim.js'
import { UnavailableError } from '../errors/unavailable-error.js'
import type { RecordStore } from '../ports/record-store.js'
import type { System } from '../ports/system.js'
import { withTimeout } from '../ports/with-timeout.js'

const PART = 'the record store'
const TRIES = 10

/** What a change of a claim decides. */
type Claimed = Pick<SerialClaim, 'userId' | 'isSettled' | 'keyName' | 'next' | 'earlier'>

/** The claims of serial numbers in the store. */
export class SerialClaims {
  readonly #store: RecordStore
  readonly #system: System
  readonly #timeout: number

  constructor(parts: { store: RecordStore; system: System; timeout: number }) {
    this.#store = parts.store
    this.#system = parts.system
    this.#timeout = parts.timeout
  }

  find(serial: string): Promise<SerialClaim | null> {
    const key = serialKey(serial)
    return withTimeout(
      PART,
      async () => {
        const stored: unknown = (await this.#store.findSerial?.(key)) ?? null
        if (stored === null) return null
        const claim = { keyName: null, next: null, earlier: [], ...stored }
        if (isClaim(claim, key)) return claim
        throw new Error('what is stored of a serial number is no claim')
      },
      this.#timeout,
    )
  }

  /** Writes the claim that follows `before`. Null: somebody else was faster. */
  async follow(
    serial: string,
    before: SerialClaim | null,
    { userId, isSettled, keyName, next, earlier }: Claimed,
  ): Promise<SerialClaim | null> {
    const version = (before?.version ?? 0) + 1
    const writeId = Buffer.from(this.#system.random(12)).toString('base64url')
    const claimed = { userId, claimedAt: this.#system.now(), isSettled }
    const keys = { keyName, next, earlier }
    const claim = { serial: serialKey(serial), version, writeId, ...claimed, ...keys }
    return (await this.#write(claim)) ? claim : null
  }

  /**
   * Notes where the codes of a token end that is about to go: before the record is written, so that no
   * moment is without it.
   */
  async noteNext(serial: string, userId: string, next: number): Promise<void> {
    for (let tried = 0; tried < TRIES; tried += 1) {
      const stored = await this.find(serial)
      // A claim of somebody else is about a token of their own.
      if (stored === null || stored.userId !== userId) return
      const latest = Math.max(next, stored.next ?? 0)
      if (latest === stored.next) return
      if (
        (await this.follow(serial, stored, { ...stored, isSettled: true, next: latest })) !== null
      )
        return
    }
    throw new UnavailableError(PART, new Error(`lost ${TRIES} races for a serial number`))
  }

  #write(claim: SerialClaim): Promise<boolean> {
    return withTimeout(
      PART,
      async () => (await this.#store.writeSerial?.(claim, claim.version - 1)) === true,
      this.#timeout,
    )
  }
}

function isClaim(stored: object, serial: string): stored is SerialClaim {
  const { version, userId, claimedAt, isSettled, keyName, next, earlier, ...rest } =
    stored as Partial<SerialClaim>
  return (
    rest.serial === serial &&
    Number.isSafeInteger(version) &&
    typeof userId === 'string' &&
    Number.isSafeInteger(claimedAt) &&
    typeof isSettled === 'boolean' &&
    (keyName === null || typeof keyName === 'string') &&
    (next === null || Number.isSafeInteger(next)) &&
    Array.isArray(earlier) &&
    earlier.every(isPlace)
  )
}

function isPlace(stored: Partial<KeyPlace> | null): boolean {
  return typeof stored?.keyName === 'string' && Number.isSafeInteger(stored.next)
}
