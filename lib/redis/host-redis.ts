import { ConfigurationError } from '../errors/configuration-error.js'
import { isNodeRedis, type NodeRedisClient, portOfNodeRedis } from './node-redis.js'
import type { RedisClient } from './redis-client.js'

/** A client of the host's: of ioredis, or of the package `redis` (node-redis). */
export type HostRedis = RedisClient | NodeRedisClient

/**
 * Whether it has the shape of a client of either package.
 *
 * @param method what it must have if it is of ioredis
 */
export function isHostRedis(
  given: unknown,
  method: keyof RedisClient = 'evalsha',
): given is HostRedis {
  return typeof Reflect.get(Object(given), method) === 'function' || isNodeRedis(given)
}

/**
 * The host's client as the stores use it.
 *
 * @param caller the function that the host gave it to, such as `redisStore`
 * @param method as for `isHostRedis`
 * @throws ConfigurationError for anything else, and for a client with an option that could open an account
 */
export function redisClientOf(
  given: HostRedis,
  caller: string,
  method?: keyof RedisClient,
): RedisClient {
  if (!isHostRedis(given, method)) {
    throw new ConfigurationError(
      `${caller}() needs an ioredis client, such as new Redis(url), or one of the package redis 5 or 6`,
    )
  }
  if (!isNodeRedis(given)) return given
  requireOptions(given, caller)
  return portOfNodeRedis(given)
}

function requireOptions({ options }: NodeRedisClient, caller: string): void {
  const { disableOfflineQueue, keyPrefix } = Object(options) as Record<string, unknown>
  if (disableOfflineQueue !== true) {
    throw new ConfigurationError(
      `${caller}: the client queues commands for as long as Redis is away; create it with disableOfflineQueue: true`,
    )
  }
  // Two apps would share the records that they believe apart.
  if (keyPrefix !== undefined && keyPrefix !== '') {
    throw new ConfigurationError(
      `${caller}: the keyPrefix of the client has no effect here; leave it out, and name the keys with the option prefix`,
    )
  }
}
