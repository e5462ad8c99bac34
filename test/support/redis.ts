import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { startRedisCluster } from './redis-cluster.js'
import { type RedisServer, startRedisServer } from './redis-server.js'

/** A Redis of the test's own, whatever it consists of. `url`: of all its servers, with commas between them. */
export type TestRedis = Omit<RedisServer, 'port' | 'pid'>

export type RedisClient = Redis | Cluster

/** Starts one server or, with `TEST_REDIS=cluster`, a cluster of three masters. */
export function startRedis(options: { args?: readonly string[] } = {}): Promise<TestRedis> {
  return process.env.TEST_REDIS === 'cluster' ? startCluster(options) : startRedisServer(options)
}

async function startCluster(options: { args?: readonly string[] }): Promise<TestRedis> {
  const { servers, stop } = await startRedisCluster(options)
  return {
    url: servers.map(({ url }) => url).join(','),
    stop,
    kill: async () => void (await Promise.all(servers.map((server) => server.kill()))),
    restart: async () => void (await Promise.all(servers.map((server) => server.restart()))),
    pause: () => {
      for (const server of servers) server.pause()
    },
    resume: () => {
      for (const server of servers) server.resume()
    },
  }
}

/** The end of the test disconnects it. */
export function connectToRedis(url: string, options: RedisOptions = {}): RedisClient {
  const nodes = url.split(',')
  return nodes.length === 1
    ? new Redis(url, options)
    : new Cluster(nodes, { redisOptions: options })
}

/** The servers that hold a part of the keys each. */
export async function mastersOf(redis: RedisClient): Promise<readonly Redis[]> {
  // A cluster's client knows none before its first command.
  await redis.ping()
  return redis instanceof Cluster ? redis.nodes('master') : [redis]
}

/** The keys of all servers that fit the pattern. */
export async function keysIn(redis: RedisClient, pattern: string): Promise<readonly string[]> {
  const keys = await Promise.all((await mastersOf(redis)).map((master) => master.keys(pattern)))
  return keys.flat()
}
