import { RateLimiterRedis } from 'rate-limiter-flexible'
import type { Counter, Counters } from '../ports/counters.js'
import { type RedisClient, redisScript } from '../stores/redis-client.js'
import { DEFAULT_PREFIX } from '../stores/redis-keys.js'
import { checkWindow, counterKey } from './counter-key.js'

type CounterClient = Pick<RedisClient, 'status' | 'eval' | 'evalsha'>

// In place of the library's own script: a refused call takes no place, and a place given back after
// the window's end does not open a window that begins below zero.
const count = redisScript(`
local points, seconds, limit = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local taken = tonumber(redis.call('GET', KEYS[1]) or '0')
if points > 0 and taken + points > limit then
  return { limit + 1, redis.call('PTTL', KEYS[1]) }
end
if points < 0 and taken <= 0 then
  return { taken, redis.call('PTTL', KEYS[1]) }
end
redis.call('SET', KEYS[1], 0, 'EX', seconds, 'NX')
return { redis.call('INCRBY', KEYS[1], points), redis.call('PTTL', KEYS[1]) }
`)

/**
 * Counts in Redis, for any number of processes, through the host's ioredis `Redis` or `Cluster`.
 *
 * @param options.prefix what the keys begin with. Default `second-step`
 */
export function redisCounters(
  redis: CounterClient,
  { prefix = DEFAULT_PREFIX }: { prefix?: string } = {},
): Counters {
  const storeClient = limiterClient(redis)
  return {
    counter(name, seconds) {
      checkWindow(seconds)
      const keyPrefix = `${prefix}:count:${name}`
      return redisCounter(
        (points) =>
          new RateLimiterRedis({
            storeClient,
            rejectIfRedisNotReady: true,
            keyPrefix,
            points,
            duration: seconds,
          }),
        seconds,
      )
    },
  }
}

function redisCounter(limiterOf: (limit: number) => RateLimiterRedis, seconds: number): Counter {
  return {
    async take(key, limit) {
      const { consumedPoints, msBeforeNext } = await limiterOf(limit).penalty(counterKey(key))
      const left = limit - consumedPoints
      if (left >= 0) return { taken: true, left, retryAfter: 0 }
      return { taken: false, left: 0, retryAfter: msBeforeNext > 0 ? msBeforeNext : seconds * 1000 }
    },
    async giveBack(key) {
      await limiterOf(0).reward(counterKey(key))
    },
  }
}

/**
 * The limiter would define its command on the host's client, where a limiter of the host's own
 * defines another script under the same name. So it gets a client of its own, with that command
 * alone. One that connects at its first command (`lazyConnect`) counts as ready.
 */
function limiterClient(redis: CounterClient) {
  return {
    get status() {
      return redis.status === 'wait' ? 'ready' : redis.status
    },
    rlflxIncr: ([key, ...args]: [string, ...string[]]) => count(redis, [key], args),
  }
}
