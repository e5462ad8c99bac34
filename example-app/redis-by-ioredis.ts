import { RedisStore } from 'connect-redis'
import { Cluster, Redis } from 'ioredis'
import {
  COMMAND_TIMEOUT,
  type Outages,
  PATIENCE,
  type RedisCommands,
  type RedisConnection,
} from './redis.js'

// With their defaults clients would queue commands for ever while Redis is away, and hold on to a machine that has
// fallen silent, whatever replica has taken its place, until TCP gives it up after a quarter of an hour.
const AT_ONCE = {
  commandTimeout: COMMAND_TIMEOUT,
  socketTimeout: 1.5 * COMMAND_TIMEOUT,
  maxRetriesPerRequest: 1,
  enableOfflineQueue: false,
}

/** @returns null if Redis does not answer */
export async function connectByIoredis(
  urls: readonly string[],
  outages: Outages,
): Promise<RedisConnection | null> {
  const [url = ''] = urls
  const client =
    urls.length === 1
      ? new Redis(url, AT_ONCE)
      : new Cluster([...urls], {
          redisOptions: AT_ONCE,
          enableOfflineQueue: false,
          retryDelayOnFailover: 100,
          maxRedirections: 3,
        })
  client.on('error', outages.away)
  client.on('ready', outages.back)
  const close = () => client.disconnect()
  if (!(await isReady(client))) {
    close()
    return null
  }
  return { client, sessions: new RedisStore({ client }), commands: commandsOf(client), close }
}

function isReady(client: Redis | Cluster): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), PATIENCE)
    client.once('ready', () => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}

function commandsOf(client: Redis | Cluster): RedisCommands {
  return {
    get: (key) => client.get(key),
    getMany: (keys) => client.mget([...keys]),
    set: (key, value) => client.set(key, value),
    setNew: (key, value) => client.set(key, value, 'NX'),
    delete: (key) => client.del(key),
    addSorted: (key, member) => client.zadd(key, 0, member),
    sortedAfter: (key, after, count) =>
      client.zrange(key, after === null ? '-' : `(${after}`, '+', 'BYLEX', 'LIMIT', 0, count),
    async pushFirst(key, value, atMost) {
      await client.lpush(key, value)
      await client.ltrim(key, 0, atMost - 1)
    },
    listed: (key) => client.lrange(key, 0, -1),
  }
}
