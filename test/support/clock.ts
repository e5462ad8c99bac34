import { randomBytes } from 'node:crypto'
import type { System } from '../../lib/ports/system.js'

/** A system whose time stands still until somebody moves it. */
export interface MovedSystem extends System {
  advance(milliseconds: number): void
}

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Starts at a full TOTP step, so that a test knows where the step ends. */
export function movedSystem(start = Date.UTC(2026, 0, 5, 12, 0, 0)): MovedSystem {
  let now = start
  return {
    now: () => now,
    monotonic: () => now - start,
    random: (size) => randomBytes(size),
    advance: (milliseconds) => {
      now += milliseconds
    },
  }
}
