import { RateLimiterRedis } from 'rate-limiter-flexible'
import { checkCall } from '../errors/check-call.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import type { Counter, Counters } from '../ports/counters.js'
import { type RedisClient, redisScript } from '../redis/redis-client.js'
import { checkPrefix, DEFAULT_PREFIX } from '../redis/redis-keys.js'
import { checkWindow, counterKey } from './counter-key.js'

type CounterClient = Pick<RedisClient, 'status' | 'eval' | 'evalsha'>

// In place of the library's own script: a refused call takes no place, and a place given back after
// the window's end does not open a window that begins below zero. No points: a look alone. A count that
// was dated by a clock ahead, or that somebody has made endless, ends with a window from now.
const count = redisScript(`
local points, seconds, limit = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local taken = tonumber(redis.call('GET', KEYS[1]) or '0')
local left = redis.call('PTTL', KEYS[1])
if left == -1 or left > 2000 * seconds then redis.call('EXPIRE', KEYS[1], seconds) end
if points > 0 and taken + points > limit then
  return { limit + 1, redis.call('PTTL', KEYS[1]) }
end
if points == 0 or (points < 0 and taken <= 0) then
  return { taken, redis.call('PTTL', KEYS[1]) }
end
redis.call('SET', KEYS[1], 0, 'EX', seconds, 'NX')
return { redis.call('INCRBY', KEYS[1], points), redis.call('PTTL', KEYS[1]) }
`)

export interface RedisCountersOptions {
  /**
   * The prefix of the keys. Two apps that share a Redis but not their records need different ones.
   * Default `second-step`
   */
  readonly prefix?: string
}

/**
 * Counts in Redis, for any number of processes, through the host's ioredis `Redis` or `Cluster`: what
 * `redisStore` does by itself, and the option `redis` with the prefix of the store.
 *
 * @throws ConfigurationError for another client, an unknown option, a prefix with braces or blanks
 */
export function redisCounters(redis: RedisClient, options: RedisCountersOptions = {}): Counters {
  checkCall(options, ['prefix'], 'redisCounters')
  if (typeof redis?.evalsha !== 'function') {
    throw new ConfigurationError('redisCounters() needs an ioredis client, such as new Redis(url)')
  }
  const { prefix = DEFAULT_PREFIX } = options
  checkPrefix(prefix)
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
    async taken(key) {
      return (await limiterOf(0).penalty(counterKey(key), 0)).consumedPoints
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
