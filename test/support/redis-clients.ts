import { once } from 'node:events'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { HostRedis } from '../../lib/redis/host-redis.js'
import { WATCHED } from './redis-sentinel.js'

/** What is used of a client that the package `redis` makes. */
export type NodeRedis = HostRedis & {
  connect(): Promise<unknown>
  destroy(): unknown
  on(event: string, listener: () => void): unknown
  once(event: string, listener: () => void): unknown
}

/** The same of one that is connected to a single server. */
export type NodeRedisOfOne = Omit<NodeRedis, 'sendCommand' | 'withTypeMapping'> & {
  readonly isReady: boolean
  duplicate(): unknown
  sendCommand(args: readonly (string | Buffer)[]): Promise<unknown>
  withTypeMapping(mapping: object): HostRedis
}

/** What is used of the package `redis`. */
interface Package {
  createClient(options: object): NodeRedisOfOne
  createClientPool(options: object): HostRedis
  createCluster(options: object): NodeRedis
  createSentinel(options: object): NodeRedis
}

/** A client of one of the packages that a host may have, connected. */
export interface ConnectedClient {
  readonly redis: HostRedis
  /** Resolves when the client is connected once more. */
  nextReady(): Promise<void>
  end(): unknown
}

/**
 * @param url of one server, of several of a cluster with commas between them, or `sentinel://…`
 * @param ofIoredis options for a client of ioredis, in place of those that a host is to give it
 */
type Connect = (url: string, ofIoredis?: RedisOptions) => Promise<ConnectedClient>

const IOREDIS_AT_ONCE = {
  commandTimeout: 1000,
  socketTimeout: 1500,
  maxRetriesPerRequest: 1,
  enableOfflineQueue: false,
}
export const NODE_REDIS_AT_ONCE = { disableOfflineQueue: true }

/** node-redis, by the version of it: the name that it is installed under. */
export const NODE_REDIS = { 'node-redis': 'redis', 'node-redis-5': 'redis-5' } as const

/** The clients that the package works with, by the names that `REDIS_CLIENT` has for them. */
export const REDIS_CLIENTS: Readonly<Record<string, Connect>> = {
  ioredis: (url, options) => connectedIoredis({ Redis, Cluster }, url, options),
  'ioredis-6': async (url, options) =>
    connectedIoredis((await load('ioredis-6')) as Ioredis, url, options),
  'node-redis': (url) => connectedNodeRedis('redis', url),
  'node-redis-5': (url) => connectedNodeRedis('redis-5', url),
}

/** The client that `REDIS_CLIENT` names, or else one of ioredis 5. */
export function clientForTests(...given: Parameters<Connect>): Promise<ConnectedClient> {
  const name = process.env.REDIS_CLIENT || 'ioredis'
  const connect = REDIS_CLIENTS[name]
  if (connect === undefined) throw new Error(`REDIS_CLIENT: there is no client "${name}"`)
  return connect(...given)
}

/** The package `redis`, whichever version is installed under this name. */
export async function nodeRedis(name: string): Promise<Package> {
  return (await load(name)) as Package
}

/** Types and checks do not need it installed. */
function load(name: string): Promise<unknown> {
  return import(name)
}

// Not events.once(): it rejects with the refused connections that lie in between.
function nextReadyOf(redis: { once(event: 'ready', listener: () => void): unknown }) {
  return new Promise<void>((resolve) => redis.once('ready', () => resolve()))
}

type Ioredis = Readonly<{ Redis: typeof Redis; Cluster: typeof Cluster }>

async function connectedIoredis(
  { Redis, Cluster }: Ioredis,
  url: string,
  options: RedisOptions = IOREDIS_AT_ONCE,
): Promise<ConnectedClient> {
  const nodes = url.split(',')
  const redis = url.startsWith('sentinel:')
    ? new Redis({ ...options, ...sentinelOf(url) })
    : nodes.length === 1
      ? new Redis(url, options)
      : new Cluster(nodes, { redisOptions: options })
  redis.on('error', () => undefined)
  await once(redis, 'ready')
  return { redis, nextReady: () => nextReadyOf(redis), end: () => redis.disconnect() }
}

function sentinelOf(url: string) {
  const [host = '', port = ''] = url.replace('sentinel://', '').split(':')
  return { name: WATCHED, sentinels: [{ host, port: Number(port) }] }
}

async function connectedNodeRedis(name: string, url: string): Promise<ConnectedClient> {
  const { createClient, createCluster, createSentinel } = await nodeRedis(name)
  const nodes = url.split(',')
  const { sentinels, name: watched } = sentinelOf(url)
  const redis = url.startsWith('sentinel:')
    ? createSentinel({ name: watched, sentinelRootNodes: sentinels, reserveClient: true })
    : nodes.length === 1
      ? createClient({ url, ...NODE_REDIS_AT_ONCE })
      : createCluster({
          rootNodes: nodes.map((node) => ({ url: node })),
          defaults: NODE_REDIS_AT_ONCE,
        })
  redis.on('error', () => undefined)
  await redis.connect()
  return { redis, nextReady: () => nextReadyOf(redis), end: () => redis.destroy() }
}
