import type { KeyFactor } from '../factor.js'
import { answerWebauthn, isAskedKey } from './answer.js'
import {
  isUnprovenWebauthn,
  isWebauthnAuthenticator,
  type UnprovenWebauthn,
  type WebauthnAuthenticator,
} from './kept.js'
import { closedSetup, isOpenSetup, proveWebauthn } from './make.js'
import { type GivenCredential, readCredential } from './read.js'

/** Security keys and passkeys (WebAuthn Level 3). No other site can use what they answer here. */
export const webauthn: KeyFactor<
  'webauthn',
  WebauthnAuthenticator,
  GivenCredential,
  UnprovenWebauthn
> = {
  method: 'webauthn',
  role: 'main',
  misses: 'uncounted',
  opens: 'session',
  // A key was there, be it of hardware or not, and somebody touched it.
  amr: ['pop', 'user'],
  isKept: isWebauthnAuthenticator,
  read: readCredential,
  fits: (kept, { kind }) => (kind === 'assertion') === 'credentialId' in kept,
  answer: answerWebauthn,
  challengeOf: ({ challenge }) => challenge,
  isAsked: isAskedKey,
  isSame: (one, other) => one.credentialId === other.credentialId,
  isUnproven: isUnprovenWebauthn,
  isOpen: isOpenSetup,
  closed: closedSetup,
  prove: proveWebauthn,
}
