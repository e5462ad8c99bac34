import {
  dateAhead,
  datesBy,
  type MissDates,
  missedNow,
  newerThan,
  scaledMisses,
  withMissesAt,
} from './miss-dates.js'
import { DAY_MS, MINUTE_MS } from './units.js'

/** Wrong codes of one user's authenticator. */
export interface Attempts {
  /** The latest misses, as many as lock for a month. A success clears only those that are older. */
  readonly misses: MissDates
  /** Misses since the last accepted code or backup code. */
  readonly consecutive: number
}

/** How many misses lock the authenticator. */
export interface AttemptCaps {
  readonly day: number
  readonly month: number
  readonly consecutive: number
}

/** The reason why no code is checked now: a short wait after some misses, or a reached cap. */
export interface Block {
  readonly until: number
  readonly locked: boolean
}

const MONTH = 30 * DAY_MS
const FIRST_MISS_WITH_WAIT = 5
const LONGEST_WAIT_MINUTES = 60

export const noAttempts: Attempts = { misses: [], consecutive: 0 }

/** The most that NIST SP 800-63B-4 §3.2.2 allows, however unlikely each guess is. */
const CONSECUTIVE_AT_MOST = 100

/**
 * 20 a day, 100 in 30 days, 100 in a row, for the three codes that are right at once with one app and
 * a window of one step. More codes make a guess likelier, so the caps shrink by the same factor
 * (promise 3: 100 guesses at 3 in 10^6 are 0.03 % a lock cycle, 12.2 cycles a year below 0.4 %).
 * A window of 0 raises the caps of a day and a month, but never the one in a row. Up to 300 codes at once,
 * the cap of a month alone keeps the promise; that of a day is never below one.
 *
 * @param codesAtOnce codes that are right at one moment, of all the user's authenticators together
 * @param comparedFar codes that misses of the month were compared with besides these. They are taken from
 *   what a month and a row may have.
 */
export function attemptCaps(codesAtOnce: number, comparedFar = 0): AttemptCaps {
  const scaled = (cap: number, taken = 0) => Math.floor((cap * 3 - taken) / codesAtOnce)
  const month = Math.max(1, scaled(100, comparedFar))
  const consecutive = Math.min(month, CONSECUTIVE_AT_MOST)
  return { day: Math.max(1, scaled(20)), month, consecutive }
}

/** The attempts after one more miss. */
export function addMiss(attempts: Attempts, caps: AttemptCaps, now: number): Attempts {
  const misses = missedNow(attempts.misses, now, caps.month)
  return { misses, consecutive: attempts.consecutive + 1 }
}

/** The attempts after an accepted code: the row of misses ends, the misses themselves stay. */
export function clearConsecutive(attempts: Attempts): Attempts {
  return attempts.consecutive === 0 ? attempts : { ...attempts, consecutive: 0 }
}

/**
 * The attempts where another number of codes is right at once: as many tries are left as were, in
 * proportion. Otherwise an attacker who has used up five authenticators' tries would have one's again once
 * the owner removes the others. A row does not grow: the month's cap binds an attacker, and whoever missed
 * three times would wait an hour.
 */
export function scaleAttempts(
  attempts: Attempts,
  { before, after }: { readonly before: number; readonly after: number },
): Attempts {
  if (before === after) return attempts
  const row = attemptCaps(after).consecutive / attemptCaps(before).consecutive
  return {
    misses: scaledMisses(attempts.misses, before / after),
    consecutive: Math.ceil(attempts.consecutive * Math.min(1, row)),
  }
}

/** The attempts with so many misses more of an earlier time. */
export function addMissesAt(attempts: Attempts, at: number, count: number, now: number): Attempts {
  return { ...attempts, misses: withMissesAt(attempts.misses, at, { count, now }) }
}

/** How many misses there were in the last 30 days. */
export function missesOfMonth({ misses }: Attempts, now: number): number {
  return datesBy(misses, now).filter((missedAt) => missedAt > now - MONTH).length
}

/** Drops the misses of more than 30 days ago. For a machine whose clock a right code has proved. */
export function dropOldMisses(attempts: Attempts, now: number): Attempts {
  const misses = newerThan(attempts.misses, MONTH, now)
  return misses === attempts.misses ? attempts : { ...attempts, misses }
}

/** Misses that are dated ahead count as of now. Writing that down lets them age from now on. */
export function dateMisses(attempts: Attempts, now: number): Attempts {
  const misses = dateAhead(attempts.misses, now)
  return misses === attempts.misses ? attempts : { ...attempts, misses }
}

/** The end of the block, or null if a code may be tried now. */
export function blockOf(attempts: Attempts, caps: AttemptCaps, now: number): Block | null {
  const lock = lockEnd(attempts, caps, now)
  if (lock !== null) return { until: lock, locked: true }
  const wait = waitUntil(attempts, now)
  return wait > now ? { until: wait, locked: false } : null
}

/** How many more misses lock, if all are made now. 0: it is locked. */
export function missesUntilLock(attempts: Attempts, caps: AttemptCaps, now: number): number {
  if (lockEnd(attempts, caps, now) !== null) return 0
  const misses = datesBy(attempts.misses, now)
  const ofDay = misses.filter((missedAt) => missedAt > now - DAY_MS).length
  const month = caps.month - missesOfMonth(attempts, now)
  const consecutive = caps.consecutive - attempts.consecutive
  // The lock of a cap in a row ends, and the row goes on.
  return Math.max(1, Math.min(caps.day - ofDay, month, consecutive))
}

/** The end of the lock, or null if no cap is reached now. */
export function lockEnd(attempts: Attempts, caps: AttemptCaps, now: number): number | null {
  const lock = lockedUntil(attempts, caps, now)
  return lock > now ? lock : null
}

function lockedUntil(attempts: Attempts, caps: AttemptCaps, now: number): number {
  const { consecutive } = attempts
  const misses = datesBy(attempts.misses, now)
  return Math.max(
    (misses.at(-caps.day) ?? -DAY_MS) + DAY_MS,
    (misses.at(-caps.month) ?? -MONTH) + MONTH,
    consecutive >= caps.consecutive ? (misses.at(-1) ?? now) + MONTH : 0,
  )
}

function waitUntil({ misses, consecutive }: Attempts, now: number): number {
  if (consecutive < FIRST_MISS_WITH_WAIT) return 0
  const minutes = Math.min(2 ** (consecutive - FIRST_MISS_WITH_WAIT), LONGEST_WAIT_MINUTES)
  return (datesBy(misses, now).at(-1) ?? 0) + minutes * MINUTE_MS
}
