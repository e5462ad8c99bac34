import type { FactorAnswer, Moment } from '../factor.js'
import { codeAt } from '../otp/code-at.js'
import type { OtpParameters } from '../otp/parameters.js'
import { isSameText } from '../same-text.js'
import type { TotpAuthenticator } from './kept.js'
import { offsetAtMost } from './offset.js'
import { stepAt } from './verdict.js'

/** Where two consecutive codes were found. */
type PairMatch =
  /** `step`: that of the second code. */
  | { readonly kind: 'match'; readonly step: number }
  | { readonly kind: 'replay' }
  | { readonly kind: 'mismatch' }

/**
 * Whether two consecutive codes may bring it back: a hardware token, whose clock drifts, and an app that
 * was set up on a clock that was off. Once that clock is put right, the codes that are accepted are still
 * those around the offset that was kept.
 */
export function canResyncTotp({ serial, offset }: TotpAuthenticator): boolean {
  return serial !== null || offset !== 0
}

/**
 * Looks for two consecutive codes around the right time.
 *
 * @param farthest steps that the clock may be off
 * @param lastStep step of the last accepted code. Neither code may be as early as it, whatever the
 *   drift (LinOTP #110)
 * @param now milliseconds
 */
function matchSteps(
  [code, nextCode]: readonly [string, string],
  secret: Uint8Array,
  parameters: OtpParameters,
  { farthest, lastStep, now }: { farthest: number; lastStep: number; now: number },
): PairMatch {
  const current = stepAt(now, parameters)
  const isPair = (second: number) =>
    isSameText(code, codeAt(second - 1, secret, parameters)) &&
    isSameText(nextCode, codeAt(second, secret, parameters))
  // A client that sends its form twice did not guess.
  if (lastStep > 0 && isPair(lastStep)) return { kind: 'replay' }
  const found = Array.from({ length: 2 * farthest + 1 }, (_, index) => current - farthest + index)
    .filter((second) => second > 0 && second - 1 > lastStep)
    .find(isPair)
  return found === undefined ? { kind: 'mismatch' } : { kind: 'match', step: found }
}

/** Judges two consecutive codes of an authenticator whose clock is off by other than what was kept. */
export async function resyncTotp(
  kept: TotpAuthenticator,
  codes: readonly [string, string],
  { now, keys }: Moment,
): Promise<FactorAnswer<TotpAuthenticator>> {
  const { secret, stale } = await keys.open(kept.secret, 'authenticator')
  const { lastStep } = kept
  const match = matchSteps(codes, secret, kept, { farthest: offsetAtMost(kept), lastStep, now })
  if (match.kind === 'replay') return { kind: 'used' }
  if (match.kind === 'mismatch') return { kind: 'wrong' }
  const sealed = stale ? await keys.seal(secret, 'authenticator') : kept.secret
  const offset = match.step - stepAt(now, kept)
  const next = { ...kept, lastStep: match.step, offset, secret: sealed, lastUsedAt: now }
  return { kind: 'right', kept: next, events: [] }
}
