import type { ComparedFar } from '../factor.js'
import type { HotpAuthenticator } from './kept.js'

/** Codes after the expected one that are accepted at a login. */
export const LOOK_AHEAD = 10

/** The same for a hardware token that its user has not proved yet: somebody may have played with it. */
export const FAR_LOOK_AHEAD = 100

/** How many wrong codes are compared with those of `FAR_LOOK_AHEAD`. */
export const FAR_MISSES_AT_MOST = 2

const MONTH = 30 * 24 * 60 * 60 * 1000

/** Whether the next code may be far ahead. Only a few wrong codes are tried so. */
export function looksFar({ serial, lastUsedAt, farMisses }: HotpAuthenticator): boolean {
  return serial !== null && lastUsedAt === null && farMisses.length < FAR_MISSES_AT_MOST
}

/**
 * The wrong codes that were compared with those beyond `LOOK_AHEAD`: of the last 30 days, and all of
 * them while no code was right.
 */
export function comparedFar(
  { lastUsedAt, farMisses }: HotpAuthenticator,
  now: number,
): readonly ComparedFar[] {
  const since = lastUsedAt === null ? 0 : now - MONTH
  const counted = farMisses.filter((missedAt) => missedAt > since)
  return counted.map((missedAt) => ({ missedAt, codes: FAR_LOOK_AHEAD - LOOK_AHEAD }))
}

/** Whether the next code may be far ahead, or recent wrong codes were compared so. */
export function usesFar(kept: HotpAuthenticator, now: number): boolean {
  return looksFar(kept) || comparedFar(kept, now).length > 0
}

/** The device whose codes are never looked for far ahead. */
export function neverFar(kept: HotpAuthenticator): HotpAuthenticator {
  return withFarMisses(kept, 0)
}

/** The device after as many wrong codes as are compared with those far ahead, all given now. */
export function afterFarMisses(kept: HotpAuthenticator, now: number): HotpAuthenticator {
  return withFarMisses(kept, now)
}

function withFarMisses(kept: HotpAuthenticator, missedAt: number): HotpAuthenticator {
  return { ...kept, farMisses: Array.from({ length: FAR_MISSES_AT_MOST }, () => missedAt) }
}
