import { codeAt } from '../otp/code-at.js'
import type { OtpParameters } from '../otp/parameters.js'
import { isSameText } from '../same-text.js'

/** How a code relates to the authenticator at this moment. */
export type CodeMatch =
  | { readonly kind: 'match'; readonly step: number }
  | { readonly kind: 'replay' }
  | { readonly kind: 'mismatch' }

interface Expected {
  readonly lastStep: number
  readonly offset: number
  readonly window: number
  readonly now: number
}

/** The time step of a clock that is right. */
export function stepAt(now: number, { period }: Pick<OtpParameters, 'period'>): number {
  return Math.floor(now / 1000 / period)
}

/**
 * Looks for the code among the steps within the window and says which one it is.
 *
 * @param lastStep step of the last accepted code, or -1
 * @param offset steps that the device's clock is ahead (below zero: behind)
 * @param window steps before and after the one the device should show that are accepted, 0 to 2
 * @param now milliseconds
 */
export function matchCode(
  code: string,
  secret: Uint8Array,
  parameters: OtpParameters,
  { lastStep, offset, window, now }: Expected,
): CodeMatch {
  const shown = stepAt(now, parameters) + offset
  const isCodeOf = (step: number) => step >= 0 && isSameText(code, codeAt(step, secret, parameters))
  // At any age: a client that repeats the last accepted code did not guess. And first, because two steps
  // can have the same code by chance: a code that was just used stays used.
  if (isCodeOf(lastStep)) return { kind: 'replay' }
  let isOld = false
  for (let step = shown - window; step <= shown + window; step += 1) {
    if (step === lastStep || !isCodeOf(step)) continue
    // No later step is asked: each takes as long as everything else that is judged.
    if (step > lastStep) return { kind: 'match', step }
    isOld = true
  }
  return isOld ? { kind: 'replay' } : { kind: 'mismatch' }
}

const OFF_AT_MOST = 10 * 60

/**
 * How many steps the device's clock seems to be off. Only for a set-up, whose visitor has the key
 * anyway: at a challenge it would tell a guesser that a guess was near.
 *
 * @returns the nearest step within ten minutes that has this code, ahead or (below zero) behind
 */
export function stepsOff(
  code: string,
  secret: Uint8Array,
  parameters: OtpParameters,
  now: number,
): number | null {
  const current = stepAt(now, parameters)
  const farthest = Math.floor(OFF_AT_MOST / parameters.period)
  const distances = Array.from({ length: farthest }, (_, index) => index + 1)
  const found = distances
    .flatMap((distance) => [-distance, distance])
    .find(
      (off) => current + off >= 0 && isSameText(code, codeAt(current + off, secret, parameters)),
    )
  return found ?? null
}
