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
  readonly isHeld: boolean
}

/** A claim by which no record was written for so long is void: its request has ended. */
export const CLAIM_LASTS = 10 * 60 * 1000

/** Serial numbers that differ in case alone are one number. */
export function serialKey(serial: string): string {
  return serial.toUpperCase()
}
