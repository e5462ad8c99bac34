import type { Subject } from './policy.js'

/** First step passed, second step open. Lives in the session; there is no user beside it. */
export interface PendingLogin {
  /** Random; its wrong codes are counted under it. */
  readonly id: string
  readonly userId: string
  /** The record's epoch when it began; another one ends it. */
  readonly epoch: number
  /** When the first step was passed, in milliseconds. */
  readonly at: number
  /** Where the login was going: a path on this origin, or null. */
  readonly next: string | null
  /** The user as the Passport instance in charge serialised him. */
  readonly passport: { readonly instance: number; readonly user: unknown }
  /** Whether the login asked Passport to keep the session's other keys. */
  readonly keepSessionInfo: boolean
  /** The user's language: between the steps there is no user to ask. */
  readonly locale: string | null
  /** What the rules asked about at the first step: between the steps there is no user to ask. */
  readonly subject: Subject
  /** Id of the stamp of the session that it took the place of, or null: logged out, it is over. */
  readonly stampId: string | null
}

const LASTS = 10 * 60 * 1000

/** When the pending login is over, in milliseconds. */
export function pendingExpiresAt(pending: PendingLogin): number {
  return pending.at + LASTS
}
