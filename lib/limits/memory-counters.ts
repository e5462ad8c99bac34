/// <reference path="./rate-limiter-memory.d.ts" />
import type { RateLimiterMemory } from 'rate-limiter-flexible'
// The package's index loads the limiters of twenty databases.
import Limiter from 'rate-limiter-flexible/lib/RateLimiterMemory.js'
import type { Counter, Counters } from '../ports/counters.js'
import { checkWindow, counterKey } from './counter-key.js'

/** Counts in this process: for development, and for hosts that have one process and no Redis. */
export function memoryCounters(): Counters {
  const limiters = new Map<string, RateLimiterMemory>()
  return {
    counter(name, seconds) {
      checkWindow(seconds)
      const limiter = limiters.get(name) ?? limiterOf(seconds)
      limiters.set(name, limiter)
      return memoryCounter(limiter)
    },
  }
}

/** The limit comes with each call; the limiter itself never refuses. */
function limiterOf(seconds: number): RateLimiterMemory {
  return new Limiter({ points: Number.MAX_SAFE_INTEGER, duration: seconds })
}

function memoryCounter(limiter: RateLimiterMemory): Counter {
  return {
    async take(key, limit) {
      const { consumedPoints, msBeforeNext } = await limiter.penalty(counterKey(key))
      const left = limit - consumedPoints
      if (left >= 0) return { taken: true, left, retryAfter: 0 }
      // A refused call takes no place. Otherwise its place would stay taken after the others are
      // given back.
      await limiter.reward(counterKey(key))
      return { taken: false, left: 0, retryAfter: msBeforeNext }
    },

    async giveBack(key) {
      const present = await limiter.get(counterKey(key))
      // After the window's end, a place given back would add one to the limit.
      if (present === null || present.msBeforeNext <= 0 || present.consumedPoints <= 0) return
      await limiter.reward(counterKey(key))
    },

    async taken(key) {
      const present = await limiter.get(counterKey(key))
      return present === null || present.msBeforeNext <= 0 ? 0 : present.consumedPoints
    },
  }
}
