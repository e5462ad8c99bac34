import { Cluster, Redis } from 'ioredis'
import { StartError } from './settings.js'

/** A client of one server, or of a cluster. */
export type RedisClient = Redis | Cluster

const PATIENCE = 3000

// With their defaults clients would queue commands for ever while Redis is away.
const AT_ONCE = { commandTimeout: 1000, maxRetriesPerRequest: 1, enableOfflineQueue: false }

/**
 * @param url of one server, or of several of a cluster with commas between them
 * @throws StartError if it does not answer
 */
export async function connectToRedis(url: string): Promise<RedisClient> {
  const nodes = url.split(',')
  const redis =
    nodes.length === 1
      ? new Redis(url, AT_ONCE)
      : new Cluster(nodes, {
          redisOptions: AT_ONCE,
          enableOfflineQueue: false,
          retryDelayOnFailover: 100,
          maxRedirections: 3,
        })
  tellOfOutages(redis)
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      redis.disconnect()
      const hosts = nodes.map((node) => new URL(node).host).join(', ')
      reject(new StartError(`Redis at ${hosts} does not answer: start it or fix REDIS_URL.`))
    }, PATIENCE)
    redis.once('ready', () => {
      clearTimeout(timer)
      resolve()
    })
  })
  return redis
}

/** One line for an outage, not one for each attempt to connect. */
function tellOfOutages(redis: RedisClient): void {
  let away = false
  redis.on('error', (error) => {
    if (!away) console.error(`Redis is away: ${error.message}`)
    away = true
  })
  redis.on('ready', () => {
    if (away) console.error('Redis is back.')
    away = false
  })
}
