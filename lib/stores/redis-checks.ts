import { ConfigurationError } from '../errors/configuration-error.js'
import type { RedisClient } from '../redis/redis-client.js'
import { DEFAULT_PREFIX, redisKeys } from '../redis/redis-keys.js'

const EVICTION = 'maxmemory-policy'

/**
 * Makes the marker that says that the records in this Redis can be trusted. Do not call it while
 * the app runs: after Redis was emptied, it would look as if nobody were enrolled.
 *
 * @param options.prefix as given to `redisStore`
 * @returns whether it was made now; false where it was there already
 * @throws ConfigurationError for a prefix with braces or blanks; what the client rejects with
 */
export async function makeRedisMarker(
  redis: Pick<RedisClient, 'set'>,
  { prefix = DEFAULT_PREFIX }: { prefix?: string } = {},
): Promise<boolean> {
  return (await redis.set(redisKeys(prefix).marker, '1', 'NX')) !== null
}

/** @throws ConfigurationError where the marker is missing */
export async function requireMarker(redis: RedisClient, marker: string): Promise<void> {
  const [found] = await redis.mget([marker])
  if (typeof found === 'string') return
  throw new ConfigurationError(
    `Redis has no key "${marker}": it is new, or it lost its records. Run "npx passport-second-step init" once for a new one; restore one that was emptied, or nobody in it has a second step any more`,
  )
}

/**
 * A Redis that evicts keys loses records.
 *
 * @param persistent what the host states where the server does not tell
 * @throws ConfigurationError
 */
export async function requireNoEviction(redis: RedisClient, persistent: boolean): Promise<void> {
  const servers = redis.nodes?.('master') ?? [redis]
  const policies = await Promise.all(servers.map(evictionPolicy))
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

/** Null if the server does not reveal it: CONFIG is disabled, renamed or not allowed. */
async function evictionPolicy(server: Pick<RedisClient, 'config'>): Promise<string | null> {
  const answer: unknown = await server.config('GET', EVICTION).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'ReplyError') return null
    throw error
  })
  if (typeof answer !== 'object' || answer === null) return null
  // ioredis 6 can be told to answer with RESP3's maps.
  const policy: unknown = Array.isArray(answer) ? answer[1] : Reflect.get(answer, EVICTION)
  return typeof policy === 'string' ? policy : null
}
