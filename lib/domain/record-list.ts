import { enrolledSince } from './authenticators.js'
import type { SecondStepRecord } from './record.js'

/**
 * The lists of records: `all`, `enrolled`, and those whose state is `on`, `paused` or `locked`. A
 * record has the first state that applies of `locked`, `paused`, `on`. Another list is
 * `mail-resets-due`: the reset by mail can be used by now, and its owner was not told yet.
 */
export type RecordList = 'all' | 'enrolled' | 'on' | 'paused' | 'locked' | 'mail-resets-due'

/**
 * The values that a store indexes beside a record, so that no list reads every record. Times in
 * milliseconds.
 */
export interface ListPlace {
  /** When an authenticator was bound. Null: none is bound, and the record has no state. */
  readonly since: number | null
  /** Locked while this is in the future. */
  readonly lockedUntil: number | null
  /** Paused while this is in the future. */
  readonly pausedUntil: number | null
  /**
   * In the list `mail-resets-due` from this time on, with or without an authenticator. Null: nobody
   * is to be told.
   */
  readonly mailResetDue: number | null
}

/** The place of a record in the lists. For adapters of the record store. */
export function listPlaceOf(record: SecondStepRecord): ListPlace {
  const { lockedUntil, pausedUntil, mailReset } = record
  const mailResetDue = mailReset?.readyTold === false ? mailReset.usableAt : null
  const since = enrolledSince(record)
  if (since === null) {
    return { since: null, lockedUntil: null, pausedUntil: null, mailResetDue }
  }
  return { since, lockedUntil, pausedUntil, mailResetDue }
}
