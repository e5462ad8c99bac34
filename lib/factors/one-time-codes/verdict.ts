import type { FactorAnswer } from '../factor.js'
import { isDigest } from '../kept-digest.js'
import { isGood, type OneTimeCode } from './kept.js'

/** Decides on a one-time code, named by its digests under every key of the ring and every code's id. */
export function judgeOneTimeCode(
  codes: readonly OneTimeCode[],
  digests: readonly string[],
  now: number,
): FactorAnswer<readonly OneTimeCode[]> {
  const found = codes.find(({ digest }) => isDigest(digest, digests))
  if (found === undefined) return { kind: 'wrong' }
  if (found.usedAt !== null || !isGood(found, now)) return { kind: 'used' }
  const kept = codes.map((code) => (code === found ? { ...code, usedAt: now } : code))
  return { kind: 'right', kept, events: [{ type: 'one-time-code-used' }] }
}
