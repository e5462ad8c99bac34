import { checkCall } from '../errors/check-call.js'
import type { Counter, Counters, Place, Taking, WantedPlace } from '../ports/counters.js'
import { takeEach } from '../ports/take-each.js'
import { CLOSED, notConnected } from '../redis/closed-client.js'
import { checkDurability, type Durability } from '../redis/durability.js'
import { durableWrites } from '../redis/durable-writes.js'
import { type HostRedis, redisClientOf } from '../redis/host-redis.js'
import { isReady, type RedisClient, redisScript, type ScriptClient } from '../redis/redis-client.js'
import { checkPrefix, DEFAULT_PREFIX } from '../redis/redis-keys.js'
import { checkWindow, counterKey } from './counter-key.js'

// KEYS: places to take, then places to give back. ARGV: how many are to be taken, the seconds of each
// key's window, the limits (below 0: of an optional place). A refused call takes no place, and a place given back after the window's end
// does not open a window that begins below zero. A count that was dated by a clock ahead, or that somebody
// has made endless, ends with a window from now.
const count = redisScript(`
local wanted = tonumber(ARGV[1])
local function look(nth)
  local key, seconds = KEYS[nth], tonumber(ARGV[1 + nth])
  local left = redis.call('PTTL', key)
  if left == -2 then return 0, 1000 * seconds, true end
  if left == -1 or left > 2000 * seconds then
    redis.call('EXPIRE', key, seconds)
    left = 1000 * seconds
  end
  return tonumber(redis.call('GET', key) or '0'), left, false
end
for nth = wanted + 1, #KEYS do
  if look(nth) > 0 then redis.call('DECR', KEYS[nth]) end
end
local answer, new, full, free = {}, {}, {}, 1
for nth = 1, wanted do
  local limit = tonumber(ARGV[1 + #KEYS + nth])
  answer[2 * nth], answer[2 * nth + 1], new[nth] = look(nth)
  full[nth] = answer[2 * nth] + 1 > math.abs(limit)
  if full[nth] and limit >= 0 then free = 0 end
end
answer[1] = free
for nth = 1, free * wanted do
  if full[nth] then
  elseif new[nth] then redis.call('SET', KEYS[nth], 1, 'EX', ARGV[1 + nth])
  else redis.call('INCR', KEYS[nth]) end
end
return answer
`)

/** The places whose key is remembered; one of a name that is longer is not. */
const KNOWN_AT_MOST = 1000
const LONGEST_KNOWN = 200

export interface RedisCountersOptions {
  /**
   * The prefix of the keys. Two apps that share a Redis but not their records need different ones.
   * Default `second-step`
   */
  readonly prefix?: string
  /** As in `redisStore`, for the places that are taken. Default: no waiting */
  readonly durability?: Durability
}

/**
 * Counts in Redis, for any number of processes, through the host's client (see `redisStore`): what
 * `redisStore` does by itself, and the option `redis` with the prefix of the store.
 *
 * @throws ConfigurationError for another client, an unknown option, a prefix with braces or blanks
 */
export function redisCounters(given: HostRedis, options: RedisCountersOptions = {}): Counters {
  checkCall(options, ['prefix', 'durability'], 'redisCounters')
  const redis = redisClientOf(given, 'redisCounters')
  const { prefix = DEFAULT_PREFIX, durability } = options
  checkPrefix(prefix)
  if (durability !== undefined) checkDurability(durability, redis, 'redisCounters')
  return countersIn(redis, prefix, durability && durableWrites(redis, durability))
}

/**
 * The same, with all that the options leave out.
 *
 * @param writer what takes places. Default: the client
 */
export function countersIn(
  redis: RedisClient,
  prefix: string,
  writer: ScriptClient = redis,
): Counters {
  // What is taken is mostly given back, and an address counts for many: a hash takes longer than a look.
  const known = new Map<string, string>()
  const keyOf = ({ name, key }: Place) => {
    const place = `${name.length}:${name}:${key}`
    const before = known.get(place)
    if (before !== undefined) return before
    const made = `${prefix}:count:${name}:${counterKey(key)}`
    if (known.size >= KNOWN_AT_MOST) known.clear()
    if (place.length <= LONGEST_KNOWN) known.set(place, made)
    return made
  }
  let apart = false

  async function inOneScript(wanted: readonly WantedPlace[], back: readonly Place[]) {
    requireReady(redis)
    const keys: string[] = []
    const args = [String(wanted.length)]
    for (const place of [...wanted, ...back]) {
      keys.push(keyOf(place))
      args.push(String(place.seconds))
    }
    for (const { limit, optional } of wanted) {
      args.push(String((optional ? -1 : 1) * limitOf(limit)))
    }
    const counted = numbersOf(
      await count(wanted.length === 0 ? redis : writer, keys, args),
      1 + 2 * wanted.length,
    )
    const [free] = counted
    return wanted.map((place, nth): Taking => {
      const limit = limitOf(place.limit)
      const taken = counted[1 + 2 * nth] ?? 0
      const wait = counted[2 + 2 * nth] ?? 0
      const isFull = taken + 1 > limit
      if (free === 1 && !isFull) return { taken: true, left: limit - taken - 1, retryAfter: 0 }
      return { taken: false, left: 0, retryAfter: isFull ? Math.max(1, wait) : 0 }
    })
  }

  function counter(name: string, seconds: number): Counter {
    checkWindow(seconds)
    const placeOf = (key: string) => ({ name, seconds, key })
    return {
      async take(key, limit) {
        const [taking] = await inOneScript([{ ...placeOf(key), limit }], [])
        if (taking === undefined) throw nonsense()
        return taking
      },
      async giveBack(key) {
        await inOneScript([], [placeOf(key)])
      },
      async taken(key) {
        requireReady(redis)
        // A limit of 0 is a look alone.
        const answer = await count(redis, [keyOf(placeOf(key))], ['1', String(seconds), '0'])
        return numbersOf(answer, 3)[1] ?? 0
      },
    }
  }

  // Keys of two counters have two slots of a cluster. One call for several would be as many commands, and a place that
  // it carries for somebody else could be on a master that is away.
  if (typeof redis.nodes === 'function') return { counter, prefix }
  return {
    counter,
    prefix,
    async takeAll(wanted, back) {
      if (apart) return takeEach({ counter }, wanted, back)
      try {
        return await inOneScript(wanted, back)
      } catch (error) {
        // A cluster behind an ordinary client: the script has done nothing.
        if (!(error instanceof Error && error.message.startsWith('CROSSSLOT'))) throw error
        apart = true
        return takeEach({ counter }, wanted, back)
      }
    },
  }
}

/** Fails at once: a command in the client's queue would be waited for. */
function requireReady(redis: RedisClient): void {
  if (redis.status === CLOSED) throw notConnected()
  if (!isReady(redis)) throw new Error('the connection to Redis is not ready')
}

/** Also for values that are not numbers: nothing is unlimited. */
function limitOf(limit: number): number {
  return limit >= 1 ? Math.min(Math.floor(limit), Number.MAX_SAFE_INTEGER) : 0
}

function numbersOf(answer: unknown, length: number): readonly number[] {
  const numbers = Array.isArray(answer) ? answer.map(Number) : []
  if (numbers.length !== length || !numbers.every(Number.isSafeInteger)) throw nonsense()
  return numbers
}

function nonsense(): Error {
  return new Error('Redis answered nonsense to a count')
}
