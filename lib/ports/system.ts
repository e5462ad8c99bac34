import { randomBytes } from 'node:crypto'

/** Time and randomness: the only source of either. */
export interface System {
  /** Milliseconds since 1970 (UTC). */
  now(): number
  /** Bytes of a cryptographically secure source. */
  random(size: number): Uint8Array
}

export const system: System = {
  now: () => Date.now(),
  random: (size) => randomBytes(size),
}
