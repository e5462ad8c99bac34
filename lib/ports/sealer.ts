/** The context of a sealed secret: moved to another user or purpose, it does not open. */
export interface SealContext {
  readonly purpose: 'authenticator' | 'setup' | 'shown-codes'
  readonly userId: string
  /** The only place in which it opens. Default: any. */
  readonly place?: string
}

/** An opened secret. */
export interface Opened {
  readonly secret: Uint8Array
  /** Sealed under an older key: seal it again at the next write. */
  readonly stale: boolean
  /** Id of the key it is sealed under, of those of the digester. */
  readonly keyId: string
}

/** Keeps secrets sealed at rest. The key ring is one; a key management service can be another. */
export interface Sealer {
  seal(secret: Uint8Array, context: SealContext): Promise<string>
  /** @throws anything, where the secret cannot be opened: wrong key, other context, changed bytes */
  open(sealed: string, context: SealContext): Promise<Opened>
}
