/** A reset by mail that a pending login has asked for. Times in milliseconds. */
export interface MailReset {
  /** Random; the digests are bound to it, to the user, the epoch and the address. */
  readonly id: string
  /** Digests of the tokens that were mailed: the first mail's and, after a wait, the second's. */
  readonly digests: readonly string[]
  readonly askedAt: number
  /** From when on the link can be used; later than `askedAt` where there is a wait. */
  readonly usableAt: number
  readonly expiresAt: number
  /** Whether the mail that says "ready" is out, or none is needed. */
  readonly readyTold: boolean
  /** Who asked: shown to the owner, who decides by it. */
  readonly ip: string | null
  readonly userAgent: string | null
}
