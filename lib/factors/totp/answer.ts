import type { FactorAnswer, Moment } from '../factor.js'
import type { TotpAuthenticator } from './kept.js'
import { learnedOffset } from './offset.js'
import { matchCode, stepAt } from './verdict.js'

/** Judges a code of a bound authenticator. A right one burns its step, and shows how its clock goes. */
export async function answerTotp(
  kept: TotpAuthenticator,
  code: string,
  { now, window, keys }: Moment,
): Promise<FactorAnswer<TotpAuthenticator>> {
  const { secret, stale } = await keys.open(kept.secret, 'authenticator')
  const match = matchCode(code, secret, kept, { ...kept, window, now })
  if (match.kind === 'replay') return { kind: 'used' }
  if (match.kind === 'mismatch') return { kind: 'wrong' }
  const sealed = stale ? await keys.seal(secret, 'authenticator') : kept.secret
  const offset = learnedOffset(kept, match.step - stepAt(now, kept))
  const next = { ...kept, lastStep: match.step, offset, secret: sealed, lastUsedAt: now }
  return { kind: 'right', kept: next, events: [] }
}
