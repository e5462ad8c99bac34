import type { TotpAuthenticator } from './kept.js'

/** The farthest that the clock of an app may be off, in steps: phones ask for the time. */
export const OFFSET_OF_APPS_AT_MOST = 2
/** The farthest that the clock of a hardware token may be off, in seconds: nobody can set it. */
export const OFFSET_OF_TOKENS_AT_MOST = 2 * 60 * 60

type Clocked = Pick<TotpAuthenticator, 'serial' | 'period'>

/** The farthest that the clock of this authenticator may be off, in steps. */
export function offsetAtMost({ serial, period }: Clocked): number {
  return serial === null ? OFFSET_OF_APPS_AT_MOST : Math.floor(OFFSET_OF_TOKENS_AT_MOST / period)
}

/**
 * The offset after an accepted code: one step nearer to what was seen, so that one code that was typed
 * late does not move it far.
 *
 * @param seen steps that the accepted code was off
 */
export function learnedOffset(
  kept: Clocked & Pick<TotpAuthenticator, 'offset'>,
  seen: number,
): number {
  const atMost = offsetAtMost(kept)
  const learned = kept.offset + Math.sign(seen - kept.offset)
  return Math.max(-atMost, Math.min(atMost, learned))
}
