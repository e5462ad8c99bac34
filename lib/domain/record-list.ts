import { enrolledSince } from './authenticators.js'
import type { SecondStepRecord } from './record.js'

/**
 * The lists of records: `all` there are, those `enrolled`, and those whose state is `on`, `paused`
 * or `locked`. Of these states a record has the first that applies of `locked`, `paused`, `on`.
 * Beside them `mail-resets-due`: a reset by mail can be used by now, and its owner was not told yet.
 */
export type RecordList = 'all' | 'enrolled' | 'on' | 'paused' | 'locked' | 'mail-resets-due'

/** What a store keeps beside a record, so that no list reads everybody. Times in milliseconds. */
export interface ListPlace {
  /** Since when an authenticator is bound; null: none is, and the record has no state. */
  readonly since: number | null
  /** Locked while this is in the future. */
  readonly lockedUntil: number | null
  /** Paused while this is in the future. */
  readonly pausedUntil: number | null
  /**
   * In the list `mail-resets-due` from this moment on, with an authenticator or without; null: there
   * is nobody to be told.
   */
  readonly mailResetDue: number | null
}

/** Where a record is to be found in the lists: for adapters of the record store. */
export function listPlaceOf(record: SecondStepRecord): ListPlace {
  const { lockedUntil, pausedUntil, mailReset } = record
  const mailResetDue = mailReset?.readyTold === false ? mailReset.usableAt : null
  const since = enrolledSince(record)
  if (since === null) {
    return { since: null, lockedUntil: null, pausedUntil: null, mailResetDue }
  }
  return { since, lockedUntil, pausedUntil, mailResetDue }
}
