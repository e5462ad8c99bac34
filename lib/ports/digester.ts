/** The context of a look-up secret's digest: for another account or set it does not match. */
export interface DigestContext {
  readonly purpose: 'backup-code' | 'one-time-code' | 'mail-reset' | 'trusted-browser'
  readonly userId: string
  /** Id of the set, of the one-time code, of the trusted browser, or of the reset by mail with what else ends it. */
  readonly setId: string
}

/** Digests secrets of at least 112 bits under a key, so that a copy of the store yields none. */
export interface Digester {
  /** Ids of the keys, in the order of their digests. They tell nothing of the keys. */
  readonly keyIds: readonly [string, ...string[]]
  /** One digest for each key of the ring, the current key's first. */
  digests(code: string, context: DigestContext): Promise<readonly [string, ...string[]]>
}
