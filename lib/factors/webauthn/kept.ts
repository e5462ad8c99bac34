import type { UserVerification } from '../ceremony.js'
import { type Check, count, flag, listOf, oneOf, orNull, shape } from '../checks.js'
import type { Bound } from '../factor.js'

/** How browsers can reach a key (WebAuthn Level 3, §5.8.4). The order is that of stored bits. */
export const TRANSPORTS = [
  'usb',
  'nfc',
  'ble',
  'smart-card',
  'hybrid',
  'internal',
  'cable',
] as const

export type KeyTransport = (typeof TRANSPORTS)[number]

/** A security key or passkey that is bound to the user. Nothing of it is secret. */
export interface WebauthnAuthenticator extends Bound {
  readonly type: 'webauthn'
  /** Base64url. */
  readonly credentialId: string
  /** COSE (RFC 9052), in base64url. */
  readonly publicKey: string
  /** How often it had signed at the last accepted answer. 0: it does not count. */
  readonly counter: number
  readonly transports: readonly KeyTransport[]
  /** Whether it may be copied to other devices of its owner. It never changes. */
  readonly backupEligible: boolean
  /** Whether it was, at the last accepted answer. */
  readonly backedUp: boolean
  /** The relying party that it was made for. It answers no other. */
  readonly rpId: string
  /** The user as their keys know them: 32 random bytes in base64url. */
  readonly handle: string
  readonly serial: null
  /** When a copy of it was seen, in milliseconds. From then on, no answer of it is right. */
  readonly suspendedAt: number | null
}

/** Changes with each use. In milliseconds. */
export function lastUseOf({
  lastUsedAt,
  since,
}: Pick<WebauthnAuthenticator, 'lastUsedAt' | 'since'>): number {
  return lastUsedAt ?? since
}

/** A set-up's challenge, until a new key answers it. */
export interface UnprovenWebauthn {
  readonly type: 'webauthn'
  /** Base64url. Empty: it was answered, wrongly, and is over. */
  readonly challenge: string
  readonly challengeUntil: number
  readonly userVerification: UserVerification
  readonly rpId: string
  readonly handle: string
}

/** WebAuthn Level 3, §4: a credential id has at most 1023 bytes. */
export const LONGEST_ID = 1364

const base64url =
  (longest: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= longest && /^[\w-]+$/.test(value)

const text: Check = (value) => typeof value === 'string'

const authenticator = shape({
  type: oneOf('webauthn'),
  id: text,
  name: orNull(text),
  since: count,
  lastUsedAt: orNull(count),
  serial: (value) => value === null,
  credentialId: base64url(LONGEST_ID),
  publicKey: base64url(4096),
  counter: count,
  transports: listOf(oneOf(...TRANSPORTS), TRANSPORTS.length),
  backupEligible: flag,
  backedUp: flag,
  rpId: text,
  handle: base64url(86),
  suspendedAt: orNull(count),
})

const unproven = shape({
  type: oneOf('webauthn'),
  challenge: (value) => value === '' || base64url(86)(value),
  challengeUntil: count,
  userVerification: oneOf('discouraged', 'required'),
  rpId: text,
  handle: base64url(86),
})

export function isWebauthnAuthenticator(value: unknown): value is WebauthnAuthenticator {
  return authenticator(value)
}

export function isUnprovenWebauthn(value: unknown): value is UnprovenWebauthn {
  return unproven(value)
}
