import type { Keys, Moment, Proven } from '../factor.js'
import { LOOK_AHEAD } from './far.js'
import type { HotpAuthenticator, HotpParameters, UnprovenHotp } from './kept.js'
import { matchCounter } from './verdict.js'

/** Begins a set-up with a new secret. */
export async function makeHotp(
  random: Uint8Array,
  { algorithm, digits }: HotpParameters,
  keys: Pick<Keys, 'seal'>,
): Promise<UnprovenHotp> {
  return { type: 'hotp', algorithm, digits, secret: await keys.seal(random, 'setup') }
}

/** Judges the code that is to prove a set-up. Its counter is burned with it. */
export async function proveHotp(
  unproven: UnprovenHotp,
  code: string,
  { keys }: Moment,
): Promise<Proven<HotpAuthenticator>> {
  const { secret } = await keys.open(unproven.secret, 'setup')
  const { algorithm, digits } = unproven
  const from = { counter: 0, ahead: LOOK_AHEAD, used: false }
  const match = matchCounter(code, secret, unproven, from)
  if (match.kind !== 'match') return { kind: 'wrong', clockOff: null }
  const sealed = await keys.seal(secret, 'authenticator')
  const kept = { type: 'hotp', algorithm, digits, secret: sealed, farMisses: [] } as const
  return { kind: 'right', kept: { ...kept, counter: match.counter + 1 } }
}
