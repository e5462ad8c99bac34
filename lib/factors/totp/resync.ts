import type { FactorAnswer, Moment } from '../factor.js'
import { isSameText } from '../same-text.js'
import { codeAt } from './code-at.js'
import type { OtpParameters, TotpAuthenticator } from './kept.js'

/** How far the clock of a hardware token may be off, in seconds. */
export const DRIFT_AT_MOST = 2 * 60 * 60

/** Where two consecutive codes were found. */
export type PairMatch =
  /** `step`: that of the second code. */
  | { readonly kind: 'match'; readonly step: number }
  | { readonly kind: 'replay' }
  | { readonly kind: 'mismatch' }

/**
 * Looks for two consecutive codes within two hours of the right time.
 *
 * @param lastStep step of the last accepted code. Neither code may be as early as it, whatever the
 *   drift (LinOTP #110)
 * @param now milliseconds
 */
export function matchSteps(
  [code, nextCode]: readonly [string, string],
  secret: Uint8Array,
  parameters: OtpParameters,
  { lastStep, now }: { lastStep: number; now: number },
): PairMatch {
  const current = Math.floor(now / 1000 / parameters.period)
  const farthest = Math.floor(DRIFT_AT_MOST / parameters.period)
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

/** Judges two consecutive codes of a hardware token whose clock has drifted. */
export async function resyncTotp(
  kept: TotpAuthenticator,
  codes: readonly [string, string],
  { now, keys }: Moment,
): Promise<FactorAnswer<TotpAuthenticator>> {
  const { secret, stale } = await keys.open(kept.secret, 'authenticator')
  const match = matchSteps(codes, secret, kept, { lastStep: kept.lastStep, now })
  if (match.kind === 'replay') return { kind: 'used' }
  if (match.kind === 'mismatch') return { kind: 'wrong' }
  const sealed = stale ? await keys.seal(secret, 'authenticator') : kept.secret
  const offset = match.step - Math.floor(now / 1000 / kept.period)
  const next = { ...kept, lastStep: match.step, offset, secret: sealed, lastUsedAt: now }
  return { kind: 'right', kept: next, told: [] }
}
