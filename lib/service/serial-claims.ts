import {
  type KeyClaim,
  type SerialClaim,
  serialKey,
  type TokenClaim,
} from '../domain/serial-claim.js'
import { unknownKeyName } from '../factors/hardware-token.js'
import type { RecordStore } from '../ports/record-store.js'
import type { System } from '../ports/system.js'
import { withTimeout } from '../ports/with-timeout.js'
import { Tries } from './tries.js'

const PART = 'the record store'

/** The claims of serial numbers, and of the keys of their tokens, in the store. */
export class SerialClaims {
  readonly #store: RecordStore
  readonly #system: System
  readonly #timeout: number

  constructor(parts: { store: RecordStore; system: System; timeout: number }) {
    this.#store = parts.store
    this.#system = parts.system
    this.#timeout = parts.timeout
  }

  /** The claim of a serial number, in any case. */
  ofSerial(serial: string): Promise<SerialClaim | null> {
    return this.#find(serialKey(serial), isSerialClaim)
  }

  ofKey(keyName: string): Promise<KeyClaim | null> {
    return this.#find(keyName, isKeyClaim)
  }

  /**
   * Reads, decides and writes until nobody else is faster.
   *
   * @param attempt answers null where its write lost a race
   */
  async change<Answer>(attempt: () => Promise<Answer | null>): Promise<Answer> {
    const tries = new Tries(this.#system, this.#timeout)
    while (tries.begin()) {
      const answer = await attempt()
      if (answer !== null) return answer
    }
    throw tries.refusal(PART, 'a serial number')
  }

  /** Writes the claim of a serial number that follows `before`. Null: somebody else was faster. */
  async claimSerial(
    serial: string,
    before: SerialClaim | null,
    { userId, keyName }: Pick<SerialClaim, 'userId' | 'keyName'>,
  ): Promise<SerialClaim | null> {
    const claimed = { userId, claimedAt: this.#system.now(), isSettled: false, keyName }
    const claim = { ...this.#following(serialKey(serial), before), ...claimed }
    return (await this.#write(claim)) ? claim : null
  }

  /** As `claimSerial`, of a key. */
  async claimKey(
    keyName: string,
    before: KeyClaim | null,
    { ofSerial, next }: Pick<KeyClaim, 'ofSerial' | 'next'>,
  ): Promise<KeyClaim | null> {
    const content = { ofSerial: serialKey(ofSerial), next }
    const claim = { ...this.#following(keyName, before), ...content }
    return (await this.#write(claim)) ? claim : null
  }

  /** Its request has ended. Never rejects: without it the claim counts for ten minutes. */
  async settle(claim: SerialClaim | null): Promise<void> {
    if (claim === null || claim.isSettled) return
    const settled = { ...claim, ...this.#following(claim.serial, claim), isSettled: true }
    await this.#write(settled).catch(() => undefined)
  }

  /**
   * Notes where the codes of a token end that is about to go: before the record is written, so that no
   * moment is without it. A claim that was lost is made anew, with a key of unknown name.
   *
   * @returns the token's claim, to be settled once the record is written: until then, the token may have gone
   *   already, and the claim be that of a request which gives it to its user again
   */
  async noteNext(serial: string, userId: string, next: number): Promise<SerialClaim | null> {
    if (this.#store.writeSerial === undefined) return null
    const ofSerial = await this.ofSerial(serial)
    // A claim of somebody else is about a token of their own.
    if (ofSerial !== null && ofSerial.userId !== userId) return null
    const keyName = ofSerial?.keyName ?? unknownKeyName(serial)
    await this.change(async () => {
      const key = await this.ofKey(keyName)
      const latest = Math.max(next, key?.next ?? 0)
      if (latest === key?.next) return (await this.#isKept(key)) ? key : null
      return this.claimKey(keyName, key, { ofSerial: serial, ...key, next: latest })
    })
    return ofSerial ?? this.#claimAnew(serial, userId)
  }

  /** Null: somebody else has claimed it meanwhile. */
  async #claimAnew(serial: string, userId: string): Promise<SerialClaim | null> {
    const keyName = unknownKeyName(serial)
    const { claim } = await this.change(async () => {
      if ((await this.ofSerial(serial)) !== null) return { claim: null }
      const made = await this.claimSerial(serial, null, { userId, keyName })
      return made === null ? null : { claim: made }
    })
    return claim
  }

  #find<Claim extends TokenClaim>(
    name: string,
    isClaim: (stored: unknown) => stored is Claim,
  ): Promise<Claim | null> {
    return withTimeout(
      PART,
      async () => {
        const stored: unknown = (await this.#store.findSerial?.(name)) ?? null
        if (stored === null) return null
        if (isClaim(stored) && stored.serial === name) return stored
        throw new Error('what is stored of a serial number is no claim')
      },
      this.#timeout,
    )
  }

  #following(serial: string, before: TokenClaim | null) {
    const writeId = Buffer.from(this.#system.random(12)).toString('base64url')
    return { serial, version: (before?.version ?? 0) + 1, writeId }
  }

  /** As of a record, in `Records`. */
  async #isKept(claim: TokenClaim): Promise<boolean> {
    return this.#store.waitsForReplicas !== true || this.#write(claim)
  }

  #write(claim: TokenClaim): Promise<boolean> {
    return withTimeout(
      PART,
      async () => (await this.#store.writeSerial?.(claim, claim.version - 1)) === true,
      this.#timeout,
    )
  }
}

function isSerialClaim(stored: unknown): stored is SerialClaim {
  const { version, userId, claimedAt, isSettled, keyName } = Object(stored) as Partial<SerialClaim>
  return (
    Number.isSafeInteger(version) &&
    typeof userId === 'string' &&
    Number.isSafeInteger(claimedAt) &&
    typeof isSettled === 'boolean' &&
    typeof keyName === 'string'
  )
}

function isKeyClaim(stored: unknown): stored is KeyClaim {
  const { version, ofSerial, next } = Object(stored) as Partial<KeyClaim>
  return (
    Number.isSafeInteger(version) &&
    typeof ofSerial === 'string' &&
    (next === null || Number.isSafeInteger(next))
  )
}
