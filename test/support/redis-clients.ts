import { once } from 'node:events'
import { Redis } from 'ioredis'
import { Redis as Redis6 } from 'ioredis-6'
import { createClient } from 'redis'
import { createClient as createClient5 } from 'redis-5'
import type { HostRedis } from '../../lib/redis/host-redis.js'

/** A client of one of the packages that a host may have, connected. */
export interface ConnectedClient {
  readonly redis: HostRedis
  end(): void
}

/** What a client of ioredis is made with so that it does not wait for a server that is away. */
export const IOREDIS_AT_ONCE = {
  commandTimeout: 1000,
  maxRetriesPerRequest: 1,
  enableOfflineQueue: false,
}

/** The clients that the package works with, by the names that `REDIS_CLIENT` has for them. */
export const REDIS_CLIENTS: Readonly<Record<string, (url: string) => Promise<ConnectedClient>>> = {
  ioredis: (url) => ofIoredis(new Redis(url, IOREDIS_AT_ONCE)),
  'ioredis-6': (url) => ofIoredis(new Redis6(url, IOREDIS_AT_ONCE)),
  'node-redis': (url) => ofNodeRedis(createClient({ url, disableOfflineQueue: true })),
  'node-redis-5': (url) => ofNodeRedis(createClient5({ url, disableOfflineQueue: true })),
}

async function ofIoredis(redis: Redis | Redis6): Promise<ConnectedClient> {
  redis.on('error', () => undefined)
  await once(redis, 'ready')
  return { redis, end: () => redis.disconnect() }
}

async function ofNodeRedis(
  redis: HostRedis & {
    on(event: 'error', listener: () => void): unknown
    connect(): Promise<unknown>
    destroy(): void
    readonly isOpen: boolean
  },
): Promise<ConnectedClient> {
  redis.on('error', () => undefined)
  await redis.connect()
  return { redis, end: () => redis.isOpen && redis.destroy() }
}
