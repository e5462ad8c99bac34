import type { AskedChallenge, RelyingParty } from '../ceremony.js'
import { CHALLENGE_LASTS } from '../challenge.js'
import { isGoodUntil } from '../clock.js'
import type { Moment, Proven } from '../factor.js'
import type { UnprovenWebauthn, WebauthnAuthenticator } from './kept.js'
import type { GivenCredential } from './read.js'

/** Random bytes of a challenge, and of the handle by which keys know a user. */
export const BYTES_OF_A_CHALLENGE = 32
/** Random bytes that a set-up needs. */
export const BYTES_OF_A_CEREMONY = 2 * BYTES_OF_A_CHALLENGE

/** A new challenge. Its user verification is judged as it was asked, whatever the option says then. */
export function makeChallenge(
  random: Uint8Array,
  { userVerification }: Pick<RelyingParty, 'userVerification'>,
  now: number,
): AskedChallenge {
  const challenge = Buffer.from(random.subarray(0, BYTES_OF_A_CHALLENGE)).toString('base64url')
  return { challenge, until: now + CHALLENGE_LASTS, userVerification }
}

/** @param handle that of the user's other keys; null: they have none */
export function makeWebauthn(
  random: Uint8Array,
  {
    relyingParty,
    handle,
    now,
  }: { readonly relyingParty: RelyingParty; readonly handle: string | null; readonly now: number },
): UnprovenWebauthn {
  const { challenge, until, userVerification } = makeChallenge(random, relyingParty, now)
  return {
    type: 'webauthn',
    challenge,
    challengeUntil: until,
    userVerification,
    rpId: relyingParty.rpId,
    handle:
      handle ??
      Buffer.from(random.subarray(BYTES_OF_A_CHALLENGE, BYTES_OF_A_CEREMONY)).toString('base64url'),
  }
}

/** Whether the challenge of a set-up may still be answered. */
export function isOpenSetup({ challenge, challengeUntil }: UnprovenWebauthn, now: number): boolean {
  return challenge !== '' && isGoodUntil(challengeUntil, CHALLENGE_LASTS, now)
}

/** The same after a wrong answer: the next page has another challenge. */
export function closedSetup(unproven: UnprovenWebauthn): UnprovenWebauthn {
  return { ...unproven, challenge: '' }
}

/** Judges the new key that is to prove a set-up. A wrong one uses the challenge up too. */
export async function proveWebauthn(
  unproven: UnprovenWebauthn,
  given: GivenCredential,
  { now, ceremonies }: Moment,
): Promise<Proven<WebauthnAuthenticator, UnprovenWebauthn>> {
  const registered = await registeredKey(unproven, given, { now, ceremonies })
  if (registered === null || given.kind !== 'registration') {
    return { kind: 'wrong', clockOff: null, unproven: closedSetup(unproven) }
  }
  const { rpId, handle } = unproven
  const { transports } = given
  const kept = { type: 'webauthn', ...registered, transports, rpId, handle } as const
  return { kind: 'right', kept: { ...kept, suspendedAt: null } }
}

async function registeredKey(
  unproven: UnprovenWebauthn,
  given: GivenCredential,
  {
    now,
    ceremonies,
  }: Pick<Moment, 'now'> & { readonly ceremonies: Moment['ceremonies'] | undefined },
) {
  if (given.kind !== 'registration' || given.crossOrigin || ceremonies === undefined) return null
  const { relyingParty, checks } = ceremonies
  // The host has moved to another domain meanwhile.
  if (unproven.rpId !== relyingParty.rpId || !isOpenSetup(unproven, now)) return null
  const { rpId, origins } = relyingParty
  const { challenge, userVerification } = unproven
  const registered = await checks.registration(given, {
    rpId,
    origins,
    challenge,
    userVerification,
  })
  // §7.1: the id in the answer is a copy of the one that the key has written.
  return registered?.credentialId === given.id ? registered : null
}
