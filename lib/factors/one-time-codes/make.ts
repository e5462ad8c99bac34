import type { Keys } from '../factor.js'
import { BYTES_OF_A_LOOK_UP_CODE, formatLookUpCode, lookUpCodeFrom } from '../look-up-code.js'
import { ONE_TIME_CODE_LASTS, type OneTimeCode } from './kept.js'

/** A new code, and its form for people. It is shown once and stored nowhere. */
export interface MadeOneTimeCode {
  readonly made: OneTimeCode
  readonly code: string
}

/** Makes a code that is good for a day. @param random makes so many random bytes */
export async function makeOneTimeCode(
  random: (bytes: number) => Uint8Array,
  now: number,
  keys: Pick<Keys, 'digests' | 'keyIds'>,
): Promise<MadeOneTimeCode> {
  const id = Buffer.from(random(12)).toString('base64url')
  const code = lookUpCodeFrom(random(BYTES_OF_A_LOOK_UP_CODE))
  const [digest] = await keys.digests(code, { purpose: 'one-time-code', setId: id })
  const [keyId] = keys.keyIds
  const made = { id, keyId, digest, expiresAt: now + ONE_TIME_CODE_LASTS, usedAt: null }
  return { made, code: formatLookUpCode(code) }
}
