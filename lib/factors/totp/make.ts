import type { Keys, Moment, Proven } from '../factor.js'
import type { OtpParameters, TotpAuthenticator, UnprovenTotp } from './kept.js'
import { matchCode, stepsOff } from './verdict.js'

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

/** Judges the code that is to prove a set-up. Its step is burned with it (hanko #2723). */
export async function proveTotp(
  unproven: UnprovenTotp,
  code: string,
  { now, window, keys }: Moment,
): Promise<Proven<TotpAuthenticator>> {
  const { secret } = await keys.open(unproven.secret, 'setup')
  const match = matchCode(code, secret, unproven, { lastStep: -1, window, now })
  if (match.kind !== 'match') {
    const off = stepsOff(code, secret, unproven, now)
    return { kind: 'wrong', clockOff: off === null ? null : off * unproven.period }
  }
  const { algorithm, digits, period } = unproven
  const sealed = await keys.seal(secret, 'authenticator')
  const kept = { type: 'totp', algorithm, digits, period, secret: sealed } as const
  return { kind: 'right', kept: { ...kept, lastStep: match.step, offset: 0 } }
}
