import { randomBytes } from 'node:crypto'

/** Time and randomness: the only source of either. */
export interface System {
  /** Milliseconds since 1970 (UTC). Fractions are cut off. */
  now(): number
  /**
   * Optional. Milliseconds by a clock that is never set, counted from any moment. Default:
   * `performance.now()`.
   */
  monotonic?(): number
  /** Bytes of a cryptographically secure source. */
  random(size: number): Uint8Array
}

/** A call of the generator costs more than its bytes, so small numbers of them are made together. */
const MADE_AT_ONCE = 2048
const SMALL = 64
let made = Buffer.alloc(0)

/** Bytes that nobody else gets: they are copied, and nothing of them stays with the others. */
function random(size: number): Uint8Array {
  if (size > SMALL) return randomBytes(size)
  if (made.length < size) made = randomBytes(MADE_AT_ONCE)
  const bytes = Uint8Array.prototype.slice.call(made, 0, size)
  made.fill(0, 0, size)
  made = made.subarray(size)
  return bytes
}

export const system: System = { now: () => Date.now(), random }

/** The host's system, or ours. Records and ids hold whole milliseconds, and are not read with others. */
export function systemOf(given: System | undefined): System {
  if (given === undefined) return system
  return {
    now: () => Math.floor(given.now()),
    monotonic: () => given.monotonic?.() ?? performance.now(),
    random: (size) => given.random(size),
  }
}
