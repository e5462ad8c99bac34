import { codeAt } from '../otp/code-at.js'
import { isSameText } from '../same-text.js'
import type { HotpParameters } from './kept.js'

/** How a code relates to the device. */
export type CounterMatch =
  | { readonly kind: 'match'; readonly counter: number }
  | { readonly kind: 'replay' }
  | { readonly kind: 'mismatch' }

/**
 * Looks for the code from the expected counter on: a press of the button that nobody typed moves
 * the device ahead (RFC 4226 §7.4).
 *
 * @param counter of the next code
 * @param ahead codes after it that are accepted too
 * @param used the code before it was accepted: a client that repeats it did not guess
 */
export function matchCounter(
  code: string,
  secret: Uint8Array,
  parameters: HotpParameters,
  { counter, ahead, used }: { counter: number; ahead: number; used: boolean },
): CounterMatch {
  const isAt = (at: number) => isSameText(code, codeAt(at, secret, parameters))
  // Two counters can have the same code by chance: a code that was just used stays used.
  if (used && counter > 0 && isAt(counter - 1)) return { kind: 'replay' }
  // All are compared, so that the time tells nothing of the place.
  const [first] = Array.from({ length: ahead + 1 }, (_, nth) => counter + nth).filter(isAt)
  return first === undefined ? { kind: 'mismatch' } : { kind: 'match', counter: first }
}

/**
 * Looks for two consecutive codes. Neither may be one from before the expected counter.
 *
 * @param counter of the next code
 * @param within codes after it at which the first one may be
 * @param used the code before it was accepted
 */
export function matchPair(
  [code, nextCode]: readonly [string, string],
  secret: Uint8Array,
  parameters: HotpParameters,
  { counter, within, used }: { counter: number; within: number; used: boolean },
): CounterMatch {
  const isCode = (given: string, at: number) => isSameText(given, codeAt(at, secret, parameters))
  // A client that sends its form twice did not guess.
  if (used && counter > 1 && isCode(code, counter - 2) && isCode(nextCode, counter - 1)) {
    return { kind: 'replay' }
  }
  for (let at = counter; at <= counter + within; at += 1) {
    if (isCode(code, at) && isCode(nextCode, at + 1)) return { kind: 'match', counter: at + 1 }
  }
  return { kind: 'mismatch' }
}
