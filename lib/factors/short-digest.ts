import { createHash } from 'node:crypto'

/** Nobody finds another text for the same 96 bits, where the text has as many random ones. */
const BYTES = 12

/** What stands for a random text where the text itself must not be, in base64url. */
export function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest().subarray(0, BYTES).toString('base64url')
}
