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
  /** Whether the user's record has held the token since. */
  readonly isSettled: boolean
  /** What tells the token's key from another under this number. Null: not known. */
  readonly keyName: string | null
  /**
   * What its next code may be, at the earliest: a counter, or a time step. It is written when the token goes, so that
   * codes that were used stay used if it is assigned again. Null: the token never went.
   */
  readonly next: number | null
  /** The same of the keys before this one, the latest first. */
  readonly earlier: readonly KeyPlace[]
}

/** Where the codes of a key go on that a number had. */
export interface KeyPlace {
  readonly keyName: string
  readonly next: number
}

// A seed is mistyped a few times, not for ever.
const EARLIER_KEPT = 16

/** What a claim knows of keys. */
export type ClaimedKeys = Pick<SerialClaim, 'keyName' | 'next' | 'earlier'>

/** The claim's keys where this one is the present one. What is known of the others stays known. */
export function keysWith(keyName: string, before: ClaimedKeys | null): ClaimedKeys {
  if (before === null) return { keyName, next: null, earlier: [] }
  if (before.keyName === keyName) return before
  const { keyName: name, next: place, earlier } = before
  const last = name === null || place === null ? [] : [{ keyName: name, next: place }]
  const known = [...last, ...earlier]
  const next = known.find((one) => one.keyName === keyName)?.next ?? null
  const others = known.filter((one) => one.keyName !== keyName)
  return { keyName, next, earlier: others.slice(0, EARLIER_KEPT) }
}

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
