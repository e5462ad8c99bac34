import { isAhead, isGoodUntil } from '../factors/clock.js'
import { isEnrolled } from './authenticators.js'
import { ruleFor } from './policy.js'
import type { SecondStepRecord } from './record.js'
import type { UserContext } from './standing.js'
import { DAY_MS } from './units.js'

/** A pause without an end, in a record. */
export const FOREVER = Number.MAX_SAFE_INTEGER

const PAUSE_LASTS = 365 * DAY_MS

/** The end of a pause that begins now. */
export function pauseEnd(days: number | 'forever', now: number): number {
  return days === 'forever' ? FOREVER : now + days * DAY_MS
}

/** The record with a pause that begins now. */
export function withPause(record: SecondStepRecord, until: number, now: number): SecondStepRecord {
  const paused = { ...withoutPause(record), pausedUntil: until }
  return until === FOREVER ? paused : { ...paused, pausedFrom: now }
}

export function withoutPause({ pausedFrom, ...record }: SecondStepRecord): SecondStepRecord {
  return { ...record, pausedUntil: null }
}

/**
 * The end of the pause, or null. It ends by itself. A pause without an end does not count if the
 * second step is required.
 */
export function pauseOf({ record, policy, subject }: UserContext, now: number): number | null {
  const { pausedUntil } = record
  if (!isEnrolled(record) || pausedUntil === null) return null
  if (pausedUntil !== FOREVER) {
    const lasts = pausedUntil - pauseStart(record, pausedUntil)
    return isGoodUntil(pausedUntil, lasts, now) ? pausedUntil : null
  }
  return ruleFor(policy, subject).mode === 'required' ? null : pausedUntil
}

/** Pauses of several users. */
export interface Pauses {
  readonly count: number
  /** How many of them have no end. */
  readonly forever: number
  /** When the last of the others ends, in milliseconds. Null: there is no other. */
  readonly last: number | null
}

export const NO_PAUSES: Pauses = { count: 0, forever: 0, last: null }

/** Adds a pause that lasts until then. */
export function addPause({ count, forever, last }: Pauses, until: number): Pauses {
  return until === FOREVER
    ? { count: count + 1, forever: forever + 1, last }
    : { count: count + 1, forever, last: Math.max(last ?? until, until) }
}

/** The end of a pause that keeps a policy from asking a user for the second step, or null. */
export function exceptedUntil(userContext: UserContext, now: number): number | null {
  const { policy, subject } = userContext
  return ruleFor(policy, subject).mode === 'off' ? null : pauseOf(userContext, now)
}

/** Whether there is a pause to end, also one that does not count now. */
export function hasPause({ pausedUntil }: SecondStepRecord, now: number): boolean {
  return pausedUntil !== null && pausedUntil > now
}

/** Whether a clock that is ahead has begun it. */
export function isPauseAhead(record: SecondStepRecord, now: number): boolean {
  const { pausedUntil } = record
  if (pausedUntil === null || pausedUntil === FOREVER) return false
  return isAhead(pauseStart(record, pausedUntil), now)
}

/** When it began, or the earliest time at which it may have. */
function pauseStart({ pausedFrom }: SecondStepRecord, until: number): number {
  return pausedFrom ?? until - PAUSE_LASTS
}
