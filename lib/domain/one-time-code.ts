/** A code that an admin has made: good for one login, which must set up anew. */
export interface OneTimeCode {
  /** Random; the digest is bound to it and to the user. */
  readonly id: string
  readonly digest: string
  /** Milliseconds. */
  readonly expiresAt: number
  readonly usedAt: number | null
}

/** The pending login in which a one-time code was used: it may set up, and no other. */
export interface SetupGrant {
  /** Id of the pending login. */
  readonly owner: string
  /** Milliseconds. */
  readonly until: number
}
