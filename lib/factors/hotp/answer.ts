import type { FactorAnswer, Moment } from '../factor.js'
import { FAR_LOOK_AHEAD, LOOK_AHEAD, looksFar } from './far.js'
import type { HotpAuthenticator } from './kept.js'
import { matchCounter, matchPair } from './verdict.js'

/** Codes after the expected one at which two consecutive codes are looked for. */
export const RESYNC_AHEAD = 1000

/** Judges a code of a bound device. A right one burns its counter and all before it. */
export async function answerHotp(
  kept: HotpAuthenticator,
  code: string,
  { now, keys }: Moment,
): Promise<FactorAnswer<HotpAuthenticator>> {
  const { secret, stale } = await keys.open(kept.secret, 'authenticator')
  const isFar = looksFar(kept)
  const ahead = isFar ? FAR_LOOK_AHEAD : LOOK_AHEAD
  const used = kept.lastUsedAt !== null
  const match = matchCounter(code, secret, kept, { counter: kept.counter, ahead, used })
  if (match.kind === 'replay') return { kind: 'used' }
  if (match.kind === 'mismatch') {
    return isFar
      ? { kind: 'wrong', kept: { ...kept, farMisses: [...kept.farMisses, now] } }
      : { kind: 'wrong' }
  }
  const sealed = stale ? await keys.seal(secret, 'authenticator') : kept.secret
  return { kind: 'right', kept: movedTo(kept, match.counter, sealed, now), events: [] }
}

/** Judges two consecutive codes of a device that is out of step. */
export async function resyncHotp(
  kept: HotpAuthenticator,
  codes: readonly [string, string],
  { now, keys }: Moment,
): Promise<FactorAnswer<HotpAuthenticator>> {
  const { secret, stale } = await keys.open(kept.secret, 'authenticator')
  const used = kept.lastUsedAt !== null
  const from = { counter: kept.counter, within: RESYNC_AHEAD, used }
  const match = matchPair(codes, secret, kept, from)
  if (match.kind === 'replay') return { kind: 'used' }
  if (match.kind === 'mismatch') return { kind: 'wrong' }
  const sealed = stale ? await keys.seal(secret, 'authenticator') : kept.secret
  return { kind: 'right', kept: movedTo(kept, match.counter, sealed, now), events: [] }
}

function movedTo(
  kept: HotpAuthenticator,
  counter: number,
  secret: string,
  now: number,
): HotpAuthenticator {
  return { ...kept, counter: counter + 1, secret, lastUsedAt: now }
}
