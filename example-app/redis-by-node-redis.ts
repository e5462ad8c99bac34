import { setTimeout } from 'node:timers/promises'
import { RedisStore } from 'connect-redis-9'
import { createClient, createCluster } from 'redis'
import {
  COMMAND_TIMEOUT,
  type Outages,
  PATIENCE,
  type RedisCommands,
  type RedisConnection,
} from './redis.js'

const LOOK_EVERY = 100

const AT_ONCE = {
  // Else the client would queue commands for as long as Redis is away.
  disableOfflineQueue: true,
  // A server that has become silent is found out, and connected to again.
  pingInterval: 500,
  socket: {
    socketTimeout: 1500,
    reconnectStrategy: (times: number) => Math.min(times * 50, 500),
  },
}

type Client = ReturnType<typeof clientOf> | ReturnType<typeof clusterOf>

/** A client that is still to be connected. */
interface Made {
  readonly client: Client
  readonly connect: () => Promise<unknown>
  /** Whether it answers: in a cluster, for every key. */
  readonly isWell: () => Promise<boolean>
}

/** @returns null if Redis does not answer */
export async function connectByNodeRedis(
  urls: readonly string[],
  outages: Outages,
): Promise<RedisConnection | null> {
  const made = urls.length === 1 ? ofOne(urls[0] ?? '') : ofCluster(urls)
  const { client, connect } = made
  tellOf(made, outages)
  const close = () => client.isOpen && client.destroy()
  try {
    await within(PATIENCE, connect())
  } catch {
    close()
    return null
  }
  return { client, sessions: sessionsOf(client), commands: commandsOf(client), close }
}

function clientOf(url: string) {
  return createClient({ url, ...AT_ONCE })
}

function clusterOf(urls: readonly string[]) {
  return createCluster({ rootNodes: urls.map((url) => ({ url })), defaults: AT_ONCE })
}

function ofOne(url: string): Made {
  const client = clientOf(url)
  return { client, connect: () => client.connect(), isWell: async () => client.isReady }
}

function ofCluster(urls: readonly string[]): Made {
  const client = clusterOf(urls)
  const isWell = async () => {
    const states = client.masters.map(async ({ client: node }) => {
      const info = node && (await inTime(node.sendCommand(['CLUSTER', 'INFO'])))
      return String(info).includes('cluster_state:ok')
    })
    return states.length > 0 && (await Promise.all(states)).every(Boolean)
  }
  return { client, connect: () => client.connect(), isWell }
}

/** Asks until Redis is well again: of a cluster, the client does not say when it is. */
function tellOf({ client, isWell }: Made, outages: Outages): void {
  let isLooking = false
  const away = async (error: Error) => {
    outages.away(error)
    if (isLooking) return
    isLooking = true
    while (client.isOpen && !(await isWell().catch(() => false))) await setTimeout(LOOK_EVERY)
    isLooking = false
    if (client.isOpen) outages.back()
  }
  client.on('error', away)
  client.on('node-error', away)
}

/** The client itself has no limit for a command that it has sent: a silent Redis would hold up every request. */
function inTime<Answer>(call: Promise<Answer>): Promise<Answer> {
  return within(COMMAND_TIMEOUT, call)
}

async function within<Answer>(milliseconds: number, call: Promise<Answer>): Promise<Answer> {
  const answered = new AbortController()
  const late = async () => {
    await setTimeout(milliseconds, null, { signal: answered.signal })
    throw new Error('Redis does not answer')
  }
  try {
    return await Promise.race([call, late()])
  } finally {
    answered.abort()
  }
}

function sessionsOf(client: Client): RedisStore {
  return new RedisStore({
    client: {
      get: (key: string) => inTime(client.get(key)),
      set: (key: string, value: string, options: object) => inTime(client.set(key, value, options)),
      expire: (key: string, seconds: number) => inTime(client.expire(key, seconds)),
      del: (keys: string[]) => inTime(client.del(keys)),
    },
  })
}

function commandsOf(client: Client): RedisCommands {
  return {
    get: (key) => inTime(client.get(key)),
    getMany: (keys) => inTime(client.mGet([...keys])),
    set: (key, value) => inTime(client.set(key, value)),
    setNew: (key, value) => inTime(client.set(key, value, { condition: 'NX' })),
    delete: (key) => inTime(client.del(key)),
    addSorted: (key, member) => inTime(client.zAdd(key, { score: 0, value: member })),
    sortedAfter: (key, after, count) =>
      inTime(
        client.zRange(key, after === null ? '-' : `(${after}`, '+', {
          BY: 'LEX',
          LIMIT: { offset: 0, count },
        }),
      ),
    async pushFirst(key, value, atMost) {
      await inTime(client.lPush(key, value))
      await inTime(client.lTrim(key, 0, atMost - 1))
    },
    listed: (key) => inTime(client.lRange(key, 0, -1)),
  }
}
