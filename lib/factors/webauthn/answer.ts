import type { AskedChallenge, RelyingParty } from '../ceremony.js'
import { CHALLENGE_LASTS } from '../challenge.js'
import type { FactorAnswer, Moment } from '../factor.js'
import { lastUseOf, type WebauthnAuthenticator } from './kept.js'
import type { GivenCredential } from './read.js'
import { judgeSignature } from './verdict.js'

/** Whether a key may answer: it is made for this relying party, and no copy of it was seen. */
export function isAskedKey(
  { rpId, suspendedAt }: WebauthnAuthenticator,
  relyingParty: Pick<RelyingParty, 'rpId'>,
): boolean {
  return rpId === relyingParty.rpId && suspendedAt === null
}

/** Judges the answer of a bound key to the challenge of this session. */
export async function answerWebauthn(
  kept: WebauthnAuthenticator,
  given: GivenCredential,
  { now, ceremonies }: Moment,
): Promise<FactorAnswer<WebauthnAuthenticator>> {
  if (given.kind !== 'assertion' || given.id !== kept.credentialId || given.crossOrigin) {
    return { kind: 'wrong' }
  }
  if (given.userHandle !== null && given.userHandle !== kept.handle) return { kind: 'wrong' }
  if (ceremonies === undefined || ceremonies.asked === null) return { kind: 'wrong' }
  const { relyingParty, checks, asked } = ceremonies
  if (!isAskedKey(kept, relyingParty)) return { kind: 'wrong' }
  const { rpId, origins } = relyingParty
  const { challenge, userVerification } = asked
  const expected = { rpId, origins, challenge, userVerification }
  const state = await checks.assertion(given, kept.publicKey, expected)
  if (state === null) return { kind: 'wrong' }
  return judgeSignature(kept, state, { isLate: isUsedSince(kept, asked), now })
}

/**
 * Whether the key has been used since it was asked. By what the record said then, because the clocks of two processes
 * differ: what one of them asked before the other let somebody in might seem to be asked after it.
 */
function isUsedSince(kept: WebauthnAuthenticator, { until, uses }: AskedChallenge): boolean {
  if (uses !== undefined) return uses[kept.id] !== lastUseOf(kept)
  return until - CHALLENGE_LASTS < lastUseOf(kept)
}
