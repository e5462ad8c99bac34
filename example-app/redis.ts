import type { Store } from 'express-session'
import type { HostRedis } from 'passport-second-step'
import { type RedisClientName, StartError } from './settings.js'

/** A connection to one server, or to a cluster, by one of these packages. */
export interface RedisConnection {
  /** The client itself: the package's own part is kept by it. */
  readonly client: HostRedis
  readonly sessions: Store
  readonly commands: RedisCommands
  close(): void
}

/** What the app itself asks of Redis. Several keys of one call must be in the same slot of a cluster. */
export interface RedisCommands {
  get(key: string): Promise<string | null>
  getMany(keys: readonly string[]): Promise<readonly (string | null)[]>
  set(key: string, value: string): Promise<unknown>
  /** Only where there is no such key yet. */
  setNew(key: string, value: string): Promise<unknown>
  delete(key: string): Promise<unknown>
  /** Adds to a set that is sorted by its members. */
  addSorted(key: string, member: string): Promise<unknown>
  /** @param after null: from the first member on */
  sortedAfter(key: string, after: string | null, count: number): Promise<readonly string[]>
  /** Puts it first into a list of so many at most. */
  pushFirst(key: string, value: string, atMost: number): Promise<void>
  listed(key: string): Promise<readonly string[]>
}

/** What a client tells of its connection. */
export interface Outages {
  away(error: Error): void
  back(): void
}

/** Milliseconds that the app waits for Redis at its start. */
export const PATIENCE = 3000

/** Milliseconds that a command may take. */
export const COMMAND_TIMEOUT = 1000

/**
 * @param url of one server, or of several of a cluster with commas between them
 * @throws StartError if it does not answer
 */
export async function connectToRedis(url: string, name: RedisClientName): Promise<RedisConnection> {
  const urls = url.split(',')
  // Only the one that is used is loaded.
  const connection =
    name === 'ioredis'
      ? await (await import('./redis-by-ioredis.js')).connectByIoredis(urls, outages())
      : await (await import('./redis-by-node-redis.js')).connectByNodeRedis(urls, outages())
  if (connection !== null) return connection
  const hosts = urls.map((one) => new URL(one).host).join(', ')
  throw new StartError(`Redis at ${hosts} does not answer: start it or fix REDIS_URL.`)
}

/** One line for an outage, not one for each attempt to connect. */
function outages(): Outages {
  let isAway = false
  return {
    away({ message }) {
      if (!isAway) console.error(`Redis is away: ${message}`)
      isAway = true
    },
    back() {
      if (isAway) console.error('Redis is back.')
      isAway = false
    },
  }
}
