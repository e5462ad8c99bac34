import type { Counters } from '../../lib/ports/counters.js'
import { type MovedSystem, SECOND } from './clock.js'

/** Counters that count by a clock that the test moves. */
export function movedCounters({ now }: Pick<MovedSystem, 'now'>): Counters {
  const windows = new Map<string, { count: number; until: number }>()
  return {
    counter: (name, seconds) => {
      const windowOf = (key: string) => {
        const at = JSON.stringify([name, key])
        const present = windows.get(at)
        const window =
          present !== undefined && now() < present.until
            ? present
            : { count: 0, until: now() + seconds * SECOND }
        windows.set(at, window)
        return window
      }
      return {
        async take(key, limit) {
          const window = windowOf(key)
          if (window.count >= limit) {
            return { taken: false, left: 0, retryAfter: window.until - now() }
          }
          window.count += 1
          return { taken: true, left: limit - window.count, retryAfter: 0 }
        },
        async giveBack(key) {
          const window = windowOf(key)
          window.count = Math.max(0, window.count - 1)
        },
        taken: async (key) => windowOf(key).count,
      }
    },
  }
}
