import { type AskedChallenge, KEY_ALGORITHMS, type RelyingParty } from '../ceremony.js'
import { CHALLENGE_LASTS } from '../challenge.js'
import type { KeyTransport, UnprovenWebauthn, WebauthnAuthenticator } from './kept.js'

/** A key, as options name it to browsers. */
interface NamedKey {
  readonly type: 'public-key'
  readonly id: string
  readonly transports: readonly KeyTransport[]
}

/** What a page gives to `navigator.credentials.get()` (WebAuthn Level 3, §5.1.10). Bytes are base64url. */
export interface PublicKeyCredentialRequestOptionsJSON {
  readonly challenge: string
  /** Milliseconds. */
  readonly timeout: number
  readonly rpId: string
  readonly allowCredentials: readonly NamedKey[]
  readonly userVerification: 'discouraged' | 'required'
}

/** What a page gives to `navigator.credentials.create()`, likewise. */
export interface PublicKeyCredentialCreationOptionsJSON {
  readonly rp: { readonly id: string; readonly name: string }
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string }
  readonly challenge: string
  readonly pubKeyCredParams: readonly { readonly type: 'public-key'; readonly alg: number }[]
  /** Milliseconds. */
  readonly timeout: number
  readonly excludeCredentials: readonly NamedKey[]
  readonly authenticatorSelection: {
    readonly residentKey: 'discouraged'
    readonly requireResidentKey: false
    readonly userVerification: 'discouraged' | 'required'
  }
  readonly attestation: 'none'
}

type HasKeys = readonly Pick<WebauthnAuthenticator, 'credentialId' | 'transports'>[]

/** The question to the keys of one user. */
export function requestOptions(
  { challenge, until, userVerification }: AskedChallenge,
  { rpId }: Pick<RelyingParty, 'rpId'>,
  keys: HasKeys,
  now: number,
): PublicKeyCredentialRequestOptionsJSON {
  return {
    challenge,
    timeout: timeLeft(until, now),
    rpId,
    allowCredentials: keys.map(named),
    userVerification,
  }
}

/**
 * The question to a new key. It need not remember the user, because the first step has named them: a
 * security key has room for few.
 *
 * @param others keys that the user has: none of them is registered twice
 */
export function creationOptions(
  { challenge, challengeUntil, userVerification, rpId, handle }: UnprovenWebauthn,
  { issuer, account }: { readonly issuer: string; readonly account: string },
  others: HasKeys,
  now: number,
): PublicKeyCredentialCreationOptionsJSON {
  return {
    rp: { id: rpId, name: issuer },
    user: { id: handle, name: account, displayName: account },
    challenge,
    pubKeyCredParams: KEY_ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    timeout: timeLeft(challengeUntil, now),
    excludeCredentials: others.map(named),
    authenticatorSelection: {
      residentKey: 'discouraged',
      requireResidentKey: false,
      userVerification,
    },
    attestation: 'none',
  }
}

function named({ credentialId, transports }: HasKeys[number]): NamedKey {
  return { type: 'public-key', id: credentialId, transports }
}

function timeLeft(until: number, now: number): number {
  return Math.max(0, Math.min(until - now, CHALLENGE_LASTS))
}
