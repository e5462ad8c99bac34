import { isGoodUntil } from '../factors/clock.js'
import type { Subject } from './policy.js'
import type { SecondStepRecord } from './record.js'
import { MINUTE_MS } from './units.js'

/** First step passed, second step open. Lives in the session; there is no user beside it. */
export interface PendingLogin {
  /** Random; its wrong codes are counted under it. */
  readonly id: string
  readonly userId: string
  /** The record's epoch when it began; another one ends it. */
  readonly epoch: number
  /** When the first step was passed, in milliseconds. */
  readonly at: number
  /** The path on this origin that the user wanted, or null. */
  readonly next: string | null
  /** The user as the Passport instance in charge serialised them. */
  readonly passport: { readonly instance: number; readonly user: unknown }
  /** Whether the login asked Passport to keep the session's other keys. */
  readonly keepSessionInfo: boolean
  /** The user's language: between the steps there is no user to ask. */
  readonly locale: string | null
  /** The subject at the first step: between the steps there is no user to ask. */
  readonly subject: Subject
  /**
   * Id of the stamp of the session that it replaced, or null. If that stamp is logged out, this
   * login is over.
   */
  readonly stampId: string | null
  /** The version of that stamp. Null without one, and in sessions of version 0.1.0. */
  readonly stampVersion: number | null
}

/** A pending login that was ended before its ten minutes were over. */
export interface EndedLogin {
  readonly id: string
  /** When it would have expired, in milliseconds. */
  readonly until: number
}

/** How many ended pending logins a record has at most. */
export const ENDED_LOGINS_AT_MOST = 20

/** Milliseconds that a pending login lasts. */
export const PENDING_LASTS = 10 * MINUTE_MS

/** When the pending login is over, in milliseconds. */
export function pendingExpiresAt(pending: PendingLogin): number {
  return pending.at + PENDING_LASTS
}

/**
 * Puts a pending login on the record's list of ended ones, because a slow request may write its
 * session back. A set-up that it began ends with it.
 *
 * A full list takes no more for the rest of the ten minutes. Only somebody who has the password can
 * fill it, and they can begin another login anyway. Dropping older logins instead would let them end
 * the owner's.
 */
export function endLogin(
  record: SecondStepRecord,
  pending: PendingLogin,
  now: number,
): SecondStepRecord {
  const { id } = pending
  const kept = record.endedLogins.filter(({ until }) => isGoodUntil(until, PENDING_LASTS, now))
  const known = kept.length >= ENDED_LOGINS_AT_MOST || kept.some((ended) => ended.id === id)
  const [begun, granted] = [record.setup?.owner === id, record.setupGrant?.owner === id]
  if (known && !begun && !granted) return record
  return {
    ...record,
    setup: begun ? null : record.setup,
    setupGrant: granted ? null : record.setupGrant,
    endedLogins: known ? kept : [...kept, { id, until: pendingExpiresAt(pending) }],
  }
}
