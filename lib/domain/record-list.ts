import type { SecondStepRecord } from './record.js'

/**
 * The lists of records: `all` there are, those `enrolled`, and those whose state is `on`, `paused`
 * or `locked`. Of these states a record has the first that applies of `locked`, `paused`, `on`.
 */
export type RecordList = 'all' | 'enrolled' | 'on' | 'paused' | 'locked'

/** What a store keeps beside a record, so that no list reads everybody. Times in milliseconds. */
export interface ListPlace {
  /** Since when an authenticator is bound; null: none is, and the record is in the list `all` alone. */
  readonly since: number | null
  /** Locked while this is in the future. */
  readonly lockedUntil: number | null
  /** Paused while this is in the future. */
  readonly pausedUntil: number | null
}

/** Where a record is to be found in the lists: for adapters of the record store. */
export function listPlaceOf(record: SecondStepRecord): ListPlace {
  const { authenticator, lockedUntil, pausedUntil } = record
  if (authenticator === null) return { since: null, lockedUntil: null, pausedUntil: null }
  return { since: authenticator.since, lockedUntil, pausedUntil }
}
