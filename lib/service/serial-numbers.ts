import { tokenBySerial } from '../domain/assigned-token.js'
import { CLAIM_LASTS, type KeyClaim, type SerialClaim, serialKey } from '../domain/serial-claim.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import { UnavailableError } from '../errors/unavailable-error.js'
import { isGoodUntil } from '../factors/clock.js'
import {
  type HardwareToken,
  isSerial,
  keyNameOf,
  unknownKeyName,
} from '../factors/hardware-token.js'
import type { RecordStore } from '../ports/record-store.js'
import type { System } from '../ports/system.js'
import { noCircle } from './page-by-page.js'
import type { Records } from './records.js'
import { SerialClaims } from './serial-claims.js'

const PAGE = 100

/** Whose is to be a token. */
export interface Claimant {
  readonly token: HardwareToken
  /** The user's id in the records. */
  readonly userId: string
}

/** Why a token is not to be had. */
export type Taken = 'serial-in-use' | 'seed-in-use'

/** A token whose serial number and key are this user's now. */
export interface ClaimedToken {
  readonly kind: 'claimed'
  /** What the token's next code may be at the earliest: 0, unless its key was assigned before. */
  readonly next: number
  /**
   * To be called when the user's record was written, or is not going to be. Never rejects: without it
   * the number of a record that has not got the token is free ten minutes later.
   */
  settle(): Promise<void>
}

/**
 * Gives a serial number, and the key of its token, to one user, before their record holds the token. A claim
 * counts as long as the record of its user has the token, so nothing needs to give it back when a token goes.
 */
export class SerialNumbers {
  readonly #store: RecordStore
  readonly #claims: SerialClaims
  readonly #records: Records
  readonly #system: System
  readonly #timeout: number

  constructor(parts: { store: RecordStore; records: Records; system: System; timeout: number }) {
    this.#store = parts.store
    this.#claims = new SerialClaims(parts)
    this.#records = parts.records
    this.#system = parts.system
    this.#timeout = parts.timeout
  }

  /** Whether the store can keep claims. */
  get isSupported(): boolean {
    return this.#store.findSerial !== undefined && this.#store.writeSerial !== undefined
  }

  /** @throws ConfigurationError where the store keeps no claims, UnavailableError where it does not answer */
  async claim(claimant: Claimant): Promise<ClaimedToken | { readonly kind: Taken }> {
    await this.#open()
    const { token, userId } = claimant
    const { serial } = token
    const keyName = keyNameOf(token)
    let own: SerialClaim | null = null
    return this.#claims.change(async () => {
      const { taken, ofSerial, ofKey } = await this.#look(claimant)
      if (taken !== null) {
        if (own !== null) await this.#claims.settle(own)
        return { kind: taken }
      }
      // The key's claim counts by that of its number, which therefore comes first.
      const claimed = await this.#claims.claimSerial(serial, ofSerial, { userId, keyName })
      if (claimed === null) return null
      own = claimed
      const key = { ofSerial: serial, next: await this.#nextOf(ofKey, serial) }
      if ((await this.#claims.claimKey(keyName, ofKey, key)) === null) return null
      const settle = () => this.#claims.settle(claimed)
      return { kind: 'claimed', next: key.next ?? 0, settle }
    })
  }

  /** Why `claim` would not give it to the user, or null. Writes nothing. @throws as `claim` */
  async takenFor(claimant: Claimant): Promise<Taken | null> {
    await this.#open()
    return (await this.#look(claimant)).taken
  }

  /**
   * The user whom a serial number was given to last, by one read: only their record knows whether they
   * have the token. Null: nobody, or the store keeps none.
   */
  async claimantOf(serial: string): Promise<string | null> {
    if (!this.isSupported || !isSerial(serial)) return null
    await this.#records.open()
    return (await this.#claims.ofSerial(serial))?.userId ?? null
  }

  /** Whether a token with this key was removed, and nobody has one since. @throws as `claim` */
  async wasRemoved(token: HardwareToken): Promise<boolean> {
    await this.#open()
    const ofKey = await this.#claims.ofKey(keyNameOf(token))
    return ofKey !== null && ofKey.next !== null && !(await this.#isHeld(ofKey))
  }

  async #look({ token, userId }: Claimant) {
    const keyName = keyNameOf(token)
    const [ofSerial, ofKey] = await Promise.all([
      this.#claims.ofSerial(token.serial),
      this.#claims.ofKey(keyName),
    ])
    const taken = async (): Promise<Taken | null> => {
      const isOwn = ofSerial?.userId === userId && ofSerial.keyName === keyName
      if (ofSerial !== null && !isOwn && (await this.#counts(ofSerial))) return 'serial-in-use'
      if (ofKey === null) return null
      const isOfSerial = ofKey.ofSerial === serialKey(token.serial)
      const last = isOfSerial ? ofSerial : await this.#claims.ofSerial(ofKey.ofSerial)
      if (last === null) {
        const holder = await this.#holderOf(ofKey.ofSerial)
        if (holder === null || holder === userId) return null
        return isOfSerial ? 'serial-in-use' : 'seed-in-use'
      }
      return !isOfSerial && (await this.#isHeld(ofKey)) ? 'seed-in-use' : null
    }
    return { ofSerial, ofKey, taken: await taken() }
  }

  /** Where its codes go on. The claim of its number may have been lost, and the place noted without the key's name. */
  async #nextOf(ofKey: KeyClaim | null, serial: string): Promise<number | null> {
    const noted = await this.#claims.ofKey(unknownKeyName(ofKey?.ofSerial ?? serial))
    const places = [ofKey, noted].flatMap((one) => one?.next ?? [])
    return places.length === 0 ? null : Math.max(...places)
  }

  /** Whether the number that had the key last has it still. */
  async #isHeld({ serial: keyName, ofSerial }: KeyClaim): Promise<boolean> {
    const there = await this.#claims.ofSerial(ofSerial)
    return there !== null && there.keyName === keyName && (await this.#counts(there))
  }

  /**
   * The user whose record has the token, of all. For a claim that was lost: that of its key, which came later, is there.
   *
   * @throws UnavailableError where that cannot be known in the time of one call
   */
  async #holderOf(serial: string): Promise<string | null> {
    const began = this.#system.now()
    const lost = () =>
      new UnavailableError('the record store', new Error('the claim of a serial number is lost'))
    const pass = noCircle(lost)
    let cursor: string | null = null
    do {
      const now = this.#system.now()
      if (Math.abs(now - began) > this.#timeout) throw lost()
      const query = { list: 'enrolled', cursor, limit: PAGE, now } as const
      const page: Awaited<ReturnType<Records['list']>> = await this.#records.list(query)
      if (page === null) throw lost()
      const holder = page.records.find((record) => tokenBySerial(record, serial) !== null)
      if (holder !== undefined) return holder.userId
      if (page.damaged.length + page.lost.length + page.lostLists.length > 0) throw lost()
      cursor = pass(page.next)
    } while (cursor !== null)
    return null
  }

  async #counts({ serial, userId, isSettled, claimedAt }: SerialClaim): Promise<boolean> {
    // Another request may be about to write the record.
    const isFresh = isGoodUntil(claimedAt + CLAIM_LASTS, CLAIM_LASTS, this.#system.now())
    if (!isSettled && isFresh) return true
    return tokenBySerial(await this.#records.find(userId), serial) !== null
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
