import type { Keys, Moment, Proven } from '../factor.js'
import type { OtpParameters } from '../otp/parameters.js'
import type { TotpAuthenticator, UnprovenTotp } from './kept.js'
import { OFFSET_OF_APPS_AT_MOST } from './offset.js'
import { matchCode, stepAt, stepsOff } from './verdict.js'

/** Random bytes of a secret: the length of a SHA-1 output (RFC 4226 §4 R6). */
export const BYTES_OF_A_SECRET = 20

/** Begins a set-up with a new secret. */
export async function makeTotp(
  random: Uint8Array,
  { algorithm, digits, period }: OtpParameters,
  keys: Pick<Keys, 'seal'>,
): Promise<UnprovenTotp> {
  return { type: 'totp', algorithm, digits, period, secret: await keys.seal(random, 'setup') }
}

/**
 * Judges the code that is to prove a set-up. Its step is burned with it (hanko #2723). The visitor has the
 * key, so a clock that is up to two steps off gives nothing away, and is kept.
 */
export async function proveTotp(
  unproven: UnprovenTotp,
  code: string,
  { now, keys }: Moment,
): Promise<Proven<TotpAuthenticator>> {
  const { secret } = await keys.open(unproven.secret, 'setup')
  const found = { lastStep: -1, offset: 0, window: OFFSET_OF_APPS_AT_MOST, now }
  const match = matchCode(code, secret, unproven, found)
  if (match.kind !== 'match') {
    const off = stepsOff(code, secret, unproven, now)
    return { kind: 'wrong', clockOff: off === null ? null : off * unproven.period }
  }
  const { algorithm, digits, period } = unproven
  const sealed = await keys.seal(secret, 'authenticator')
  const kept = { type: 'totp', algorithm, digits, period, secret: sealed } as const
  const offset = match.step - stepAt(now, unproven)
  return { kind: 'right', kept: { ...kept, lastStep: match.step, offset } }
}
