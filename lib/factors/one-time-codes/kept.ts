import { count, listOf, orNull, shape, text } from '../checks.js'
import { isAhead, isGoodUntil } from '../clock.js'
import { isKeyGone, type KeyIds } from '../key-status.js'

/** A code that an admin has made: good for one login, which must set up anew. */
export interface OneTimeCode {
  /** Random; the digest is bound to it and to the user. */
  readonly id: string
  /** Id of the key that the digest is made with; null: version 0.1.0 has not noted it. */
  readonly keyId: string | null
  readonly digest: string
  /** Milliseconds. */
  readonly expiresAt: number
  readonly usedAt: number | null
}

/** Milliseconds that a one-time code is good for. */
export const ONE_TIME_CODE_LASTS = 24 * 60 * 60 * 1000

const KEPT_AT_MOST = 10

const oneTimeCodes = listOf(
  shape({ id: text, keyId: orNull(text), digest: text, expiresAt: count, usedAt: orNull(count) }),
)

export function isOneTimeCodes(value: unknown): value is readonly OneTimeCode[] {
  return oneTimeCodes(value)
}

/** Whether a code, where it is unused, may still be used. */
export function isGood({ expiresAt }: OneTimeCode, now: number): boolean {
  return isGoodUntil(expiresAt, ONE_TIME_CODE_LASTS, now)
}

/** Whether a code is neither used nor expired. */
export function isOpen(code: OneTimeCode, now: number): boolean {
  return code.usedAt === null && isGood(code, now)
}

/** Whether a code could be right: its key is not gone from the ring. */
export function hasKey({ keyId }: OneTimeCode, keyIds: KeyIds): boolean {
  return !isKeyGone(keyId, keyIds)
}

/** Whether a clock that is ahead has made it. */
export function isDatedAhead({ expiresAt }: OneTimeCode, now: number): boolean {
  return isAhead(expiresAt - ONE_TIME_CODE_LASTS, now)
}

/** Adds a code. Drops expired ones, and the oldest if there are more than ten. */
export function withOneTimeCode(
  codes: readonly OneTimeCode[],
  code: OneTimeCode,
  now: number,
): readonly OneTimeCode[] {
  const kept = codes.filter((one) => isGood(one, now))
  return [...kept, code].slice(-KEPT_AT_MOST)
}
