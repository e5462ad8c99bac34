import { createHash } from 'node:crypto'

/** How long a challenge may be answered, in milliseconds. */
export const CHALLENGE_LASTS = 5 * 60 * 1000

/** Nobody finds another challenge of 32 random bytes with the same 96 bits. */
const BYTES = 12

/** A challenge as a record remembers it, in base64url. */
export function challengeDigest(challenge: string): string {
  return createHash('sha256').update(challenge).digest().subarray(0, BYTES).toString('base64url')
}
