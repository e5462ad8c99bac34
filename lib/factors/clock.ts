/**
 * The allowed difference between the clocks of an app's machines, in milliseconds. Machines with a
 * time server differ by far less, and a code is valid for no longer. Without any leeway, one
 * machine could refuse a session that another has just made.
 */
const CLOCKS_APART = 60 * 1000

/** Whether a time comes from a clock that was ahead. Nothing that began then is valid. */
export function isAhead(at: number, now: number): boolean {
  return at > now + CLOCKS_APART
}

/**
 * Whether something with this expiry is valid now. If more time is left than it can last (in
 * milliseconds), it comes from a clock that was ahead.
 */
export function isGoodUntil(until: number, lasts: number, now: number): boolean {
  return now < until && !isAhead(until - lasts, now)
}
