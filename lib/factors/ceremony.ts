/** COSE: EdDSA, ES256, and RS256 for what Windows keeps in a TPM. In this order of preference. */
export const KEY_ALGORITHMS = [-8, -7, -257] as const

/** Whether a key asks its user for a PIN or a fingerprint, or for a touch alone. */
export type UserVerification = 'discouraged' | 'required'

/** The app as keys know it (WebAuthn Level 3, §4): what was made for one is of no use to another. */
export interface RelyingParty {
  /** A domain: that of each origin, or one that it is part of. */
  readonly rpId: string
  /** The origins whose pages may ask for an answer. */
  readonly origins: readonly string[]
  /** What new challenges ask for. */
  readonly userVerification: UserVerification
}

/** A challenge that was put to a browser. */
export interface AskedChallenge {
  /** 32 random bytes in base64url. */
  readonly challenge: string
  /** When it may no longer be answered, in milliseconds. */
  readonly until: number
  /** What it asked for. The answer is judged by the same. */
  readonly userVerification: UserVerification
  /**
   * When each key had last been used, by the id of the authenticator, as the record said when it was asked. Missing: from
   * before it was noted.
   */
  readonly uses?: Readonly<Record<string, number>>
}

/** What an answer must have been made for. */
export interface Expected extends Pick<RelyingParty, 'rpId' | 'origins'> {
  readonly challenge: string
  readonly userVerification: UserVerification
}

/** The signature of a key, as the browser gives it. Bytes are base64url. */
export interface Assertion {
  readonly id: string
  readonly clientDataJSON: string
  readonly authenticatorData: string
  readonly signature: string
}

/** A new key, as the browser gives it. Bytes are base64url. */
export interface Registration {
  readonly id: string
  readonly clientDataJSON: string
  readonly attestationObject: string
}

/** What a key says of itself with each answer. */
export interface KeyState {
  /** How often it has signed. 0: it does not count. */
  readonly counter: number
  /** It may be copied to other devices of its owner. */
  readonly backupEligible: boolean
  /** It is. */
  readonly backedUp: boolean
}

/** A key that was registered. */
export interface RegisteredKey extends KeyState {
  readonly credentialId: string
  /** COSE (RFC 9052), in base64url. */
  readonly publicKey: string
}

/**
 * Checks what keys answer: that it is for this challenge, origin and relying party, that somebody was
 * present (and verified, if that was asked), and the signature. It judges no counter. Null: a wrong
 * answer, whatever is wrong with it. Rejects only where nothing can be checked.
 */
export interface CeremonyChecks {
  assertion(given: Assertion, publicKey: string, expected: Expected): Promise<KeyState | null>
  registration(given: Registration, expected: Expected): Promise<RegisteredKey | null>
}

/** What a host with WebAuthn judges the answers of keys with. */
export interface CeremonyParts {
  readonly relyingParty: RelyingParty
  readonly checks: CeremonyChecks
}

/** The same for the answer of one session. */
export interface Ceremonies extends CeremonyParts {
  /** The challenge that this session was asked, or null. A set-up has its own in the record. */
  readonly asked: AskedChallenge | null
}
