import { ConfigurationError } from '../errors/configuration-error.js'
import { isOfNodeRedis, type NodeRedis, redisClientOf } from '../redis/host-redis.js'
import { isReply, type RedisClient } from '../redis/redis-client.js'
import { DEFAULT_PREFIX, type RedisKeys, redisKeys } from '../redis/redis-keys.js'
import { makeMarkers } from './redis-marker.js'
import { requireNoOldRecords } from './redis-old-state.js'

const EVICTION = 'maxmemory-policy'

/**
 * Makes the markers that say that the records in this Redis can be trusted, one for each hash tag. Do
 * not call it while the app runs: after Redis was emptied, it would look as if nobody were enrolled.
 *
 * @param given the host's client: see `redisStore`
 * @param options.prefix as given to `redisStore`
 * @returns whether any was made now; false where all were there already
 * @throws ConfigurationError for another client, a prefix with braces or blanks, where a part of them was lost, and beside
 *   records of version 0.1.0, which are to be upgraded; what the client rejects with
 */
export async function makeRedisMarker(
  given: Pick<RedisClient, 'mget' | 'set' | 'eval' | 'evalsha'> | NodeRedis,
  { prefix = DEFAULT_PREFIX }: { prefix?: string } = {},
): Promise<boolean> {
  const redis = isOfNodeRedis(given) ? redisClientOf(given, 'makeRedisMarker') : given
  await requireNoOldRecords(redis, prefix)
  return makeMarkers(redis, redisKeys(prefix))
}

/**
 * A Redis that evicts keys loses records.
 *
 * @param persistent what the host states where the server does not tell
 * @throws ConfigurationError
 */
export async function requireNoEviction(redis: RedisClient, persistent: boolean): Promise<void> {
  const servers = redis.nodes?.('master') ?? [redis]
  const policies = await Promise.all(servers.map((server) => settingOf(server, EVICTION)))
  const evicting = policies.find((policy) => policy !== null && policy !== 'noeviction')
  if (evicting !== undefined) {
    throw new ConfigurationError(
      `Redis has ${EVICTION} "${evicting}" and would drop records when it is full: set "${EVICTION} noeviction", or give redisStore another Redis than your cache`,
    )
  }
  if (!persistent && (policies.length === 0 || policies.includes(null))) {
    throw new ConfigurationError(
      `Redis does not tell its ${EVICTION}: see that it is "noeviction", then say so with redisStore(redis, { persistent: true })`,
    )
  }
}

/** A client of ioredis that keeps commands for as long as Redis is away, and sends them when nobody waits any more. */
export function warnOfEndlessQueue({ nodes, options = {} }: RedisClient): void {
  const { enableOfflineQueue, maxRetriesPerRequest }: Readonly<Record<string, unknown>> = {
    ...options,
  }
  if (nodes !== undefined || enableOfflineQueue === false || maxRetriesPerRequest !== null) return
  process.emitWarning(
    'passport-second-step: redisStore: the client has maxRetriesPerRequest: null and queues commands for as long as Redis is away; give it one of its own with enableOfflineQueue: false and maxRetriesPerRequest: 1',
  )
}

/**
 * A replica may not have the last write yet, and takes none.
 *
 * @throws ConfigurationError where the client is connected to one, as far as the server tells
 */
export async function requireMaster(redis: RedisClient): Promise<void> {
  if (redis.nodes !== undefined) return
  const pipeline = redis.pipeline?.()
  pipeline?.callBuffer('info', 'replication')
  const [[, info] = []] = (await pipeline?.exec()) ?? []
  if (!/^role:slave/m.test(String(info))) return
  throw new ConfigurationError(
    'redisStore: this Redis is a replica; give it a client that is connected to its master',
  )
}

/**
 * A replica may not have the last write yet: an ended session would live on.
 *
 * @throws ConfigurationError for a cluster client that reads from replicas
 */
export function requireReadsFromMaster(redis: RedisClient): void {
  const scaleReads: unknown = Reflect.get(redis.options ?? {}, 'scaleReads')
  if (scaleReads === undefined || scaleReads === 'master') return
  throw new ConfigurationError(
    'redisStore: the cluster client has scaleReads set; give it one that reads from masters (scaleReads: "master", the default)',
  )
}

/**
 * With `enableAutoPipelining`, a cluster client of ioredis before 5.11 puts scripts into one pipeline by their
 * text, not by their keys. Under load, those for two masters would fail together.
 *
 * @throws ConfigurationError for such a client, what it rejects with for others
 */
export async function requirePipelinesByKey(
  redis: Pick<RedisClient, 'eval' | 'nodes' | 'options'>,
  { tags }: RedisKeys,
): Promise<void> {
  const pipelines: unknown = Reflect.get(redis.options ?? {}, 'enableAutoPipelining')
  if (redis.nodes === undefined || pipelines !== true) return
  try {
    await Promise.all(tags.map(({ marker }) => redis.eval('return 1', 1, marker)))
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('slots allocation group'))) throw error
    throw new ConfigurationError(
      'redisStore: the cluster client has enableAutoPipelining set and sends scripts for several masters to one; update ioredis to 5.11 or newer, or leave enableAutoPipelining out',
    )
  }
}

/** Null if the server does not reveal it: CONFIG is disabled, renamed or not allowed. */
export async function settingOf(
  server: Pick<RedisClient, 'config'>,
  setting: string,
): Promise<string | null> {
  const answer: unknown = await server.config('GET', setting).catch((error: unknown) => {
    if (isReply(error)) return null
    throw error
  })
  if (typeof answer !== 'object' || answer === null) return null
  // ioredis 6 can be told to answer with RESP3's maps.
  const value: unknown = Array.isArray(answer) ? answer[1] : Reflect.get(answer, setting)
  return typeof value === 'string' ? value : null
}
