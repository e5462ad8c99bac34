/**
 * How far the clocks of an app's machines may be apart, in milliseconds. Machines that ask a time
 * server differ by far less, and a code is good for no longer: without a second's leeway a session
 * would be refused by the machine next to the one that made it.
 */
export const CLOCKS_APART = 60 * 1000

/** Whether a time is of a clock that was ahead. Nothing that began then is still good. */
export function isAhead(at: number, now: number): boolean {
  return at > now + CLOCKS_APART
}

/**
 * Whether something that is good until a time is good now. One that has longer to go than it can
 * last, in milliseconds, is of a clock that was ahead.
 */
export function isGoodUntil(until: number, lasts: number, now: number): boolean {
  return now < until && !isAhead(until - lasts, now)
}
