import { randomBytes } from 'node:crypto'

/** Time and randomness: the only source of either. */
export interface System {
  /** Milliseconds since 1970 (UTC). */
  now(): number
  /**
   * Optional. Milliseconds by a clock that is never set, counted from any moment. Default:
   * `performance.now()`.
   */
  monotonic?(): number
  /** Bytes of a cryptographically secure source. */
  random(size: number): Uint8Array
}

export const system: System = {
  now: () => Date.now(),
  random: (size) => randomBytes(size),
}
