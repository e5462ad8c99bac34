import { isGoodUntil } from '../factors/clock.js'
import type { Subject } from './policy.js'
import type { SecondStepRecord } from './record.js'
import { endStamp, isEnded } from './stamp.js'
import { DAY_MS, MINUTE_MS } from './units.js'

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
  /**
   * A name of the `createSecondStep()` that began it, by its key and its path: another one in the same session has users
   * of its own, perhaps with the same ids. None in sessions of version 0.1.0.
   */
  readonly site?: string
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
 * Ends a pending login for good, because a slow request may write its session back: puts it on the
 * record's list of ended ones, and the stamp of the session that it replaced on theirs. A set-up
 * that it began ends with it.
 *
 * A full list takes no more for the rest of the ten minutes. Only somebody who has the password can
 * fill it, by logins that they cancel, finish or begin again, and they can begin another login
 * anyway. Dropping older logins instead would let them end the owner's. The list of stamps forgets
 * none: see `endStamp`.
 *
 * @returns the same record where the login is over as a whole
 */
export function endLogin(
  record: SecondStepRecord,
  pending: PendingLogin,
  now: number,
): SecondStepRecord {
  return endReplacedStamp(endPending(record, pending, now), pending)
}

function endPending(
  record: SecondStepRecord,
  pending: PendingLogin,
  now: number,
): SecondStepRecord {
  const { id } = pending
  const until = pendingExpiresAt(pending)
  const isGood = (end: number) => isGoodUntil(end, PENDING_LASTS, now)
  const kept = withRoom(record.endedLogins, now)
  const isFull = kept.length >= ENDED_LOGINS_AT_MOST
  const known = isFull || !isGood(until) || kept.some((ended) => ended.id === id)
  const [begun, granted] = [record.setup?.owner === id, record.setupGrant?.owner === id]
  if (known && !begun && !granted) return record
  return {
    ...record,
    setup: begun ? null : record.setup,
    setupGrant: granted ? null : record.setupGrant,
    endedLogins: known ? kept : [...kept, { id, until }],
  }
}

/**
 * Without those that are over, but a day later: by another clock they may not be. A full list has
 * only those that this clock knows as good.
 */
function withRoom(ended: readonly EndedLogin[], now: number): readonly EndedLogin[] {
  const kept = ended.filter(({ until }) => now < until + DAY_MS)
  if (kept.length < ENDED_LOGINS_AT_MOST) return kept
  return kept.filter(({ until }) => isGoodUntil(until, PENDING_LASTS, now))
}

/** Otherwise the session as it was before would become another pending login. */
function endReplacedStamp(
  record: SecondStepRecord,
  { stampId, stampVersion }: PendingLogin,
): SecondStepRecord {
  if (stampId === null) return record
  const isOver = isEnded(record, { id: stampId, version: stampVersion ?? 0 })
  return isOver ? record : endStamp(record, stampId)
}
