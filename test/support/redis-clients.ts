import { once } from 'node:events'
import { Redis } from 'ioredis'
import type { HostRedis } from '../../lib/redis/host-redis.js'
import type { NodeRedisClient } from '../../lib/redis/node-redis.js'

/** What is used of a client that the package `redis` makes. */
export type NodeRedis = Omit<NodeRedisClient, 'withTypeMapping' | 'sendCommand'> & {
  readonly isOpen: boolean
  connect(): Promise<unknown>
  destroy(): void
  on(event: string, listener: () => void): unknown
  once(event: string, listener: () => void): unknown
  sendCommand(args: string[]): Promise<unknown>
  withTypeMapping(mapping: object): HostRedis
}

/** What is used of the package `redis`. */
interface Package {
  createClient(options: object): NodeRedis
  createClientPool(options: object): HostRedis
}

/** A client of one of the packages that a host may have, connected. */
export interface ConnectedClient {
  readonly redis: HostRedis
  end(): void
}

type Connect = (url: string) => Promise<ConnectedClient>

const IOREDIS_AT_ONCE = { commandTimeout: 1000, maxRetriesPerRequest: 1, enableOfflineQueue: false }
export const NODE_REDIS_AT_ONCE = { disableOfflineQueue: true }

/** node-redis, by the version of it: the name that it is installed under. */
export const NODE_REDIS = { 'node-redis': 'redis', 'node-redis-5': 'redis-5' } as const

/** The clients that the package works with, by the names that `REDIS_CLIENT` has for them. */
export const REDIS_CLIENTS: Readonly<Record<string, Connect>> = {
  ioredis: (url) => connectedIoredis(new Redis(url, IOREDIS_AT_ONCE)),
  'ioredis-6': async (url) => {
    const other = (await load('ioredis-6')) as { Redis: typeof Redis }
    return connectedIoredis(new other.Redis(url, IOREDIS_AT_ONCE))
  },
  'node-redis': (url) => connectedNodeRedis('redis', url),
  'node-redis-5': (url) => connectedNodeRedis('redis-5', url),
}

/** The package `redis`, whichever version is installed under this name. */
export async function nodeRedis(name: string): Promise<Package> {
  return (await load(name)) as Package
}

/** Types and checks do not need it installed. */
function load(name: string): Promise<unknown> {
  return import(name)
}

async function connectedIoredis(redis: Redis): Promise<ConnectedClient> {
  redis.on('error', () => undefined)
  await once(redis, 'ready')
  return { redis, end: () => redis.disconnect() }
}

async function connectedNodeRedis(name: string, url: string): Promise<ConnectedClient> {
  const redis = (await nodeRedis(name)).createClient({ url, ...NODE_REDIS_AT_ONCE })
  redis.on('error', () => undefined)
  await redis.connect()
  return { redis, end: () => redis.isOpen && redis.destroy() }
}
