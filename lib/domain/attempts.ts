import { isAhead } from '../factors/clock.js'
import { DAY_MS, MINUTE_MS } from './units.js'

/** Wrong codes of one user's authenticator. */
export interface Attempts {
  /** Times of the misses of the last 30 days, oldest first. A success does not clear them. */
  readonly misses: readonly number[]
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
 * A window of 0 raises the caps of a day and a month, but never the one in a row.
 *
 * @param codesAtOnce codes that are right at one moment, of all the user's authenticators together
 */
export function attemptCaps(codesAtOnce: number): AttemptCaps {
  const scaled = (cap: number) => Math.floor((cap * 3) / codesAtOnce)
  const consecutive = Math.min(scaled(100), CONSECUTIVE_AT_MOST)
  return { day: scaled(20), month: scaled(100), consecutive }
}

/** The attempts after one more miss. */
export function addMiss(attempts: Attempts, caps: AttemptCaps, now: number): Attempts {
  const misses = known(attempts.misses, now).filter((at) => at > now - MONTH)
  return { misses: [...misses, now].slice(-caps.month), consecutive: attempts.consecutive + 1 }
}

/** The attempts after an accepted code: the row of misses ends, the misses themselves stay. */
export function clearConsecutive(attempts: Attempts): Attempts {
  return attempts.consecutive === 0 ? attempts : { ...attempts, consecutive: 0 }
}

/** The end of the block, or null if a code may be tried now. */
export function blockOf(attempts: Attempts, caps: AttemptCaps, now: number): Block | null {
  const lock = lockEnd(attempts, caps, now)
  if (lock !== null) return { until: lock, locked: true }
  const wait = waitUntil(attempts, now)
  return wait > now ? { until: wait, locked: false } : null
}

/** The end of the lock, or null if no cap is reached now. */
export function lockEnd(attempts: Attempts, caps: AttemptCaps, now: number): number | null {
  const lock = lockedUntil(attempts, caps, now)
  return lock > now ? lock : null
}

/** Drops misses of a clock that was ahead: they would block until that time has come. */
function known(misses: readonly number[], now: number): readonly number[] {
  return misses.filter((at) => !isAhead(at, now))
}

function lockedUntil(attempts: Attempts, caps: AttemptCaps, now: number): number {
  const { consecutive } = attempts
  const misses = known(attempts.misses, now)
  const last = misses.at(-1) ?? 0
  return Math.max(
    (misses.at(-caps.day) ?? -DAY_MS) + DAY_MS,
    (misses.at(-caps.month) ?? -MONTH) + MONTH,
    consecutive >= caps.consecutive ? last + MONTH : 0,
  )
}

function waitUntil({ misses, consecutive }: Attempts, now: number): number {
  if (consecutive < FIRST_MISS_WITH_WAIT) return 0
  const minutes = Math.min(2 ** (consecutive - FIRST_MISS_WITH_WAIT), LONGEST_WAIT_MINUTES)
  return (known(misses, now).at(-1) ?? 0) + minutes * MINUTE_MS
}
