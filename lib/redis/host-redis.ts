import { ConfigurationError } from '../errors/configuration-error.js'
import {
  isNodeRedis,
  isNodeRedisCluster,
  isNodeRedisSentinel,
  type NodeRedisClient,
  type NodeRedisCluster,
  type NodeRedisSentinel,
  portOfNodeRedis,
  portOfNodeRedisCluster,
  portOfNodeRedisSentinel,
} from './node-redis.js'
import type { RedisClient } from './redis-client.js'

/** A client of the package `redis` (node-redis). */
export type NodeRedis = NodeRedisClient | NodeRedisCluster | NodeRedisSentinel

/** A client of the host's: of ioredis, or of the package `redis`. */
export type HostRedis = RedisClient | NodeRedis

export function isOfNodeRedis(given: unknown): given is NodeRedis {
  return isNodeRedis(given) || isNodeRedisCluster(given) || isNodeRedisSentinel(given)
}

/**
 * Whether it has the shape of a client of either package.
 *
 * @param method what it must have if it is of ioredis
 */
export function isHostRedis(
  given: unknown,
  method: keyof RedisClient = 'evalsha',
): given is HostRedis {
  return typeof Reflect.get(Object(given), method) === 'function' || isOfNodeRedis(given)
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
      `${caller}() needs an ioredis client, such as new Redis(url), or one of the package redis 5 or 6 (no pool)`,
    )
  }
  if (isNodeRedisCluster(given)) {
    const { defaults, ...options } = optionsOf(given, '_options')
    requireOptions(options, optionsOf({ defaults }, 'defaults'), caller)
    return portOfNodeRedisCluster(given)
  }
  if (isNodeRedisSentinel(given)) {
    const useReplicas = given.getReplicaNodes().size > 0
    const keyPrefix = Reflect.get(given, '_keyPrefix')
    requireOptions({ keyPrefix, useReplicas }, { disableOfflineQueue: true }, caller)
    return portOfNodeRedisSentinel(given)
  }
  if (!isNodeRedis(given)) return given
  const options = optionsOf(given, 'options')
  requireOptions(options, options, caller)
  return portOfNodeRedis(given)
}

function optionsOf(given: object, name: string): Readonly<Record<string, unknown>> {
  return Object(Reflect.get(given, name))
}

function requireOptions(
  { keyPrefix, useReplicas }: Readonly<Record<string, unknown>>,
  { disableOfflineQueue }: Readonly<Record<string, unknown>>,
  caller: string,
): void {
  if (disableOfflineQueue !== true) {
    throw new ConfigurationError(
      `${caller}: the client queues commands for as long as Redis is away; create it with disableOfflineQueue: true (for a cluster, in its defaults)`,
    )
  }
  // A replica may not have the last write yet: an ended session would live on.
  if (useReplicas === true) {
    throw new ConfigurationError(
      `${caller}: the client reads from replicas; leave out useReplicas (of createSentinel: replicaPoolSize), so that it reads from masters`,
    )
  }
  // Two apps would share the records that they believe apart.
  if (keyPrefix !== undefined && keyPrefix !== '') {
    throw new ConfigurationError(
      `${caller}: the keyPrefix of the client has no effect here; leave it out, and name the keys with the option prefix`,
    )
  }
}
