import type { SecondStepRecord } from './record.js'
import { MINUTE_MS } from './units.js'

/**
 * Whose hardware token has a serial number. A number belongs to one user at most: what is written here by
 * compare-and-set decides between two admins who assign it at once. The claim comes before the record
 * that holds the token, and stays when the token goes: without the token it is void.
 */
export interface SerialClaim {
  /** The number, in upper case. */
  readonly serial: string
  /** Each write raises it by one. */
  readonly version: number
  readonly writeId: string
  /** The user's id in the records. */
  readonly userId: string
  /** When it was claimed, in milliseconds. */
  readonly claimedAt: number
  /** Whether the request that claimed it has ended: it counts only while the user's record holds the token. */
  readonly isSettled: boolean
  /** The name of the token's key. */
  readonly keyName: string
}

/**
 * Which serial number a token's key belongs to, and where its codes go on. It is kept beside the claims of
 * numbers, under the name of the key. A key belongs to one number at most: it is free while that number's
 * claim is void, or of another key.
 */
export interface KeyClaim {
  /** The name of the key, which begins with a blank: no serial number does. */
  readonly serial: string
  /** Each write raises it by one. */
  readonly version: number
  readonly writeId: string
  /** The number of the token that has it, or had it last, in upper case. */
  readonly ofSerial: string
  /**
   * What its next code may be, at the earliest: a counter, or a time step. It is written when the token goes, so that
   * codes that were used stay used if it is assigned again, under whatever number. Null: no token with it ever went.
   */
  readonly next: number | null
}

/** What a store keeps by `writeSerial`. */
export type TokenClaim = SerialClaim | KeyClaim

/** A claim by which no record was written for so long is void: its request has ended. */
export const CLAIM_LASTS = 10 * MINUTE_MS

/**
 * The tokens that the later record has no longer, and what each one's next code may be at the earliest. 0 where no
 * code of it was ever right: nothing is used then, and its counter is only what an admin typed.
 */
export function tokensGone(
  before: Bound,
  after: Bound,
): readonly { readonly serial: string; readonly next: number }[] {
  if (before.authenticators === after.authenticators) return []
  return before.authenticators.flatMap((one) => {
    const { serial } = one
    if (serial === null || after.authenticators.some((other) => other.serial === serial)) return []
    if (one.lastUsedAt === null) return [{ serial, next: 0 }]
    return [{ serial, next: one.type === 'totp' ? one.lastStep + 1 : one.counter }]
  })
}

type Bound = Pick<SecondStepRecord, 'authenticators'>

/** Serial numbers that differ in case alone are one number. */
export function serialKey(serial: string): string {
  return serial.toUpperCase()
}
