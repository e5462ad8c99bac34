import type { FactorMethod } from '../factors/factors.js'
import type { SecondStepRecord } from './record.js'

/** How a second step was passed; `none` where the user needed none. */
export type Method = FactorMethod | 'none'

/** What a signed-in session carries: who passed which step when. Times in milliseconds. */
export interface Stamp {
  readonly id: string
  readonly userId: string
  readonly epoch: number
  readonly method: Method
  /** When the last code was accepted in this session; for `none`, when it began. */
  readonly at: number
}

/** A stamp that was logged out before its session could be sure to be gone. */
export interface EndedStamp {
  readonly id: string
  readonly at: number
}

const ENDED_FOR = 30 * 24 * 60 * 60 * 1000
const ENDED_AT_MOST = 50
const FRESH_FOR = 5 * 60 * 1000

/** Until when a code given at the stamp's time counts as fresh; null where no code was given. */
export function freshUntil(stamp: Stamp): number | null {
  return stamp.method === 'none' ? null : stamp.at + FRESH_FOR
}

/**
 * Puts a stamp on the record's ended list: kept 30 days, at most 50, the newest win. A set-up that
 * its session has begun ends with it.
 */
export function endStamp(record: SecondStepRecord, id: string, now: number): SecondStepRecord {
  const setup = record.setup?.owner === id ? null : record.setup
  const kept = record.ended.filter((ended) => ended.at > now - ENDED_FOR && ended.id !== id)
  return { ...record, setup, ended: [...kept, { id, at: now }].slice(-ENDED_AT_MOST) }
}

/**
 * Ends every session, pending login, set-up in progress and reset by mail: those of older epochs are
 * dead.
 */
export function raiseEpoch(record: SecondStepRecord): SecondStepRecord {
  const ended = { setup: null, setupGrant: null, mailReset: null, ended: [] }
  return { ...record, ...ended, epoch: record.epoch + 1 }
}
