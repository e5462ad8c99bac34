import type { Cluster, Redis } from 'ioredis'
import { redisClientOf } from '../redis/host-redis.js'
import type { RedisClient } from '../redis/redis-client.js'

/** Milliseconds for connecting, and for each command. */
const PATIENCE = 3000

/** A connection that the command line makes itself. */
export interface RedisConnection {
  readonly redis: RedisClient
  connect(): Promise<unknown>
  on(event: 'error', listener: (error: Error) => void): unknown
  end(): void
}

/** @param inCluster whether the server belongs to a cluster */
export type Connecting = (address: URL, inCluster: boolean) => RedisConnection

/**
 * By whichever of the two packages the app has.
 *
 * @throws Error where it has neither
 */
export async function loadRedis(): Promise<Connecting> {
  try {
    return byIoredis(await import('ioredis'))
  } catch (cause) {
    const other = await import('redis').catch(() => null)
    if (other !== null) return byNodeRedis(other)
    throw new Error(
      'init needs ioredis or redis: run "npm install" with the one that your app uses first.',
      { cause },
    )
  }
}

function byIoredis({
  Redis,
  Cluster,
}: Pick<typeof import('ioredis'), 'Redis' | 'Cluster'>): Connecting {
  const options = { lazyConnect: true, connectTimeout: PATIENCE, commandTimeout: PATIENCE }
  return (address, inCluster) => {
    const server = new Redis(address.href, { ...options, retryStrategy: () => null })
    if (!inCluster) return connectionOfIoredis(server)
    const { host = '', port = 0, username, password, tls } = server.options
    const redisOptions = { ...options, username, password, ...(tls === undefined ? {} : { tls }) }
    const cluster = new Cluster([{ host, port }], {
      lazyConnect: true,
      clusterRetryStrategy: () => null,
      redisOptions,
    })
    return connectionOfIoredis(cluster)
  }
}

function connectionOfIoredis(redis: Redis | Cluster): RedisConnection {
  return {
    redis,
    connect: () => redis.connect(),
    on: (event, listener) => redis.on(event, listener),
    // Closing a connection that has ended keeps the process for two seconds.
    end: () => redis.status !== 'end' && redis.disconnect(),
  }
}

/** Of nobody, where the address names nobody: an empty name would be one. */
function credentialsOf({ username, password }: URL) {
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  }
}

export function byNodeRedis({
  createClient,
  createCluster,
}: Pick<typeof import('redis'), 'createClient' | 'createCluster'>): Connecting {
  return (address, inCluster) => {
    const socket = { connectTimeout: PATIENCE, reconnectStrategy: false as const }
    const tls = address.protocol === 'rediss:' ? { tls: true as const } : {}
    const defaults = {
      disableOfflineQueue: true,
      ...credentialsOf(address),
      socket: { ...socket, ...tls },
    }
    const url = address.href
    const client = inCluster
      ? createCluster({ rootNodes: [{ url }], defaults })
      : createClient({ url, disableOfflineQueue: true, socket })
    return {
      redis: redisClientOf(client, 'init'),
      connect: () => client.connect(),
      on: (event, listener) => client.on(event, listener),
      end() {
        if (client.isOpen) client.destroy()
      },
    }
  }
}
