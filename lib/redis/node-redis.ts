import { CLOSED, notConnected } from './closed-client.js'
import { slotOfKey } from './hash-slot.js'
import { subscriberOf } from './node-redis-listener.js'
import {
  isReply,
  type RedisArgument,
  type RedisClient,
  type RedisPipeline,
} from './redis-client.js'

/**
 * The required shape of a client of the package `redis` (node-redis) 5 or 6, as `createClient()` returns it.
 * It must have `disableOfflineQueue: true`.
 */
export interface NodeRedisClient {
  readonly isReady: boolean
  readonly isOpen?: boolean
  readonly options?: object
  sendCommand(args: readonly RedisArgument[], options?: object): Promise<unknown>
  withTypeMapping(mapping: object): unknown
  /** Another connection to the same place. */
  duplicate(overrides?: object): unknown
}

/** A master of a cluster. */
export interface NodeRedisMaster {
  readonly address: string
}

/** The same of a client of a cluster, as `createCluster()` returns it: with `defaults: { disableOfflineQueue: true }`. */
export interface NodeRedisCluster {
  readonly isOpen: boolean
  /** From version 6 on. */
  readonly isReady?: boolean
  readonly masters: readonly object[]
  readonly slots: readonly ({ readonly master: NodeRedisMaster } | undefined)[]
  nodeClient(node: object): Promise<unknown>
  sendCommand(
    firstKey: RedisArgument | undefined,
    isReadonly: boolean | undefined,
    args: readonly RedisArgument[],
    options?: object,
  ): Promise<unknown>
  withTypeMapping(mapping: object): unknown
}

/** The same of a client of what Redis Sentinel watches, as `createSentinel()` returns it. */
export interface NodeRedisSentinel {
  readonly isReady: boolean
  readonly isOpen?: boolean
  getReplicaNodes(): ReadonlyMap<object, number>
  getSentinelNode(): unknown
  sendCommand(
    isReadonly: boolean | undefined,
    args: readonly RedisArgument[],
    options?: object,
  ): Promise<unknown>
  withTypeMapping(mapping: object): unknown
}

type Send = (
  key: RedisArgument | undefined,
  args: readonly RedisArgument[],
  answers: typeof TEXTS | typeof BYTES,
) => Promise<unknown>

/**
 * Whatever the host has mapped for itself. The client's own limit, five seconds from version 6 on, is for commands that
 * it has not sent, and makes each take twice as long; every call of a port has one of its own.
 */
const TEXTS = { typeMapping: {}, timeout: undefined }
/** By the first byte of what RESP calls a bulk string, `$`. */
const BYTES = { ...TEXTS, typeMapping: { 36: Buffer } }

const LOOK_AGAIN_AFTER = 1000
const UNSENT_FOR = 1000

export function isNodeRedis(given: unknown): given is NodeRedisClient {
  const { duplicate, isReady, sendCommand, withTypeMapping } = Object(
    given,
  ) as Partial<NodeRedisClient>
  const isOne = typeof isReady === 'boolean' && areMethods(duplicate, sendCommand, withTypeMapping)
  return isOne && !isNodeRedisCluster(given) && !isNodeRedisSentinel(given)
}

export function isNodeRedisSentinel(given: unknown): given is NodeRedisSentinel {
  const { getReplicaNodes, getSentinelNode, sendCommand, withTypeMapping } = Object(
    given,
  ) as Partial<NodeRedisSentinel>
  return areMethods(getReplicaNodes, getSentinelNode, sendCommand, withTypeMapping)
}

export function isNodeRedisCluster(given: unknown): given is NodeRedisCluster {
  const { masters, nodeClient, sendCommand, withTypeMapping } = Object(
    given,
  ) as Partial<NodeRedisCluster>
  return Array.isArray(masters) && areMethods(nodeClient, sendCommand, withTypeMapping)
}

function areMethods(...values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'function')
}

/** The client as the stores use it. Every command goes as it is: commands of one tick are sent together. */
export function portOfNodeRedis(given: NodeRedisClient): RedisClient {
  return {
    get status() {
      return statusOf(given, given.isReady)
    },
    ...commandsBy(async (_key, args, answers) => opened(given).sendCommand(args, answers)),
    pipeline: () => pipelineBy(async () => given),
    duplicate: () => subscriberOf(async () => given),
  }
}

/** As `portOfNodeRedis`. Reads go to masters, too. */
export function portOfNodeRedisCluster(given: NodeRedisCluster): RedisClient {
  const client = async (node: object | undefined) => {
    if (node === undefined) throw new Error('the client knows no master of the cluster yet')
    return (await given.nodeClient(node)) as NodeRedisClient
  }
  const lookAgain = lookingAgain(given)
  let turn = 0
  return {
    get status() {
      return statusOf(given, given.isReady ?? given.isOpen)
    },
    ...commandsBy(async (key, args, answers) =>
      opened(given)
        .sendCommand(key, false, args, soon(answers))
        .catch((error: unknown) => {
          if (key !== undefined && !isReply(error)) lookAgain(key)
          throw error
        }),
    ),
    pipeline: () => pipelineBy((key) => client(given.slots[slotOfKey(key)]?.master), lookAgain),
    // Asked for single ones alone: there are 16,384.
    slots: new Proxy([], {
      get: (_, slot) => [given.slots[Number(String(slot))]?.master.address],
    }),
    nodes: () =>
      given.masters.map((node) => ({
        ...commandsBy(async (_key, args, answers) =>
          (await client(node)).sendCommand(args, answers),
        ),
        pipeline: () => pipelineBy(() => client(node)),
      })),
    // What is published reaches every node. Another one each time, as this one may be gone for good.
    duplicate: () =>
      subscriberOf(() => {
        turn += 1
        return client(given.masters[turn % given.masters.length])
      }),
  }
}

/** As `portOfNodeRedis`, without messages: this client does not say when it was deaf. Reads go to the master, too. */
export function portOfNodeRedisSentinel(given: NodeRedisSentinel): RedisClient {
  const { publish: _, ...commands } = commandsBy(async (_key, args, answers) =>
    opened(given).sendCommand(false, args, soon(answers)),
  )
  return {
    get status() {
      return statusOf(given, given.isReady)
    },
    ...commands,
  }
}

/** While there is no master, the client keeps commands for as long as it takes, and would run them when nobody waits. */
function soon(answers: object) {
  return { ...answers, abortSignal: AbortSignal.timeout(UNSENT_FOR) }
}

interface Opened {
  readonly isOpen?: boolean
}

function statusOf({ isOpen }: Opened, isReady: boolean): string {
  if (isOpen === false) return CLOSED
  return isReady ? 'ready' : 'away'
}

/** @throws Error that says what to do: the client's own does not, and that of a cluster is a riddle */
function opened<Client extends Opened>(given: Client): Client {
  if (given.isOpen === false) throw notConnected()
  return given
}

/**
 * A master that is gone does not say who has its slots now: a client of version 5 would ask for it for ever, one of
 * version 6 for five seconds. Any other node says MOVED for a key of those slots, and the client takes it from there.
 */
function lookingAgain(given: NodeRedisCluster): (key: RedisArgument) => void {
  let isLooking = false
  return (key) => {
    if (isLooking) return
    isLooking = true
    setTimeout(() => {
      isLooking = false
    }, LOOK_AGAIN_AFTER).unref()
    given.sendCommand(undefined, false, ['GET', key], TEXTS).catch(() => undefined)
  }
}

/**
 * Commands for one connection. They are sent in one tick, and never again by a client without a queue: all go by it, or
 * the rest of them is refused.
 *
 * @param clientOf the client for the first key among them
 * @param lookAgain told of that key where no server has answered
 */
function pipelineBy(
  clientOf: (key: RedisArgument) => Promise<NodeRedisClient>,
  lookAgain: (key: RedisArgument) => void = () => undefined,
): RedisPipeline {
  const commands: (readonly RedisArgument[])[] = []
  let first: RedisArgument = ''
  let until = Number.POSITIVE_INFINITY
  const { callBuffer, mgetBuffer } = commandsBy(async (key = '', args) => {
    first ||= key
    commands.push(args)
  })
  const failed = (error: Error): Answer => {
    if (!isReply(error)) lookAgain(first)
    return [error, undefined]
  }
  return {
    callBuffer,
    mgetBuffer,
    sendUntil(moment) {
      until = moment
    },
    exec() {
      const client = connectedBy(until, clientOf(first))
      const sent = commands.map((args) => client.then((one) => one.sendCommand(args, BYTES)))
      return Promise.all(sent.map((one) => one.then((answer): Answer => [null, answer], failed)))
    },
  }
}

/** Rejects also where the connection comes later: what was refused meanwhile must not be sent. */
function connectedBy(until: number, client: Promise<NodeRedisClient>): Promise<NodeRedisClient> {
  const left = until - performance.now()
  if (left === Number.POSITIVE_INFINITY) return client
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no connection to the master in time')), left)
    void client.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

type Answer = [error: Error | null, answer: unknown]

function commandsBy(send: Send): Omit<RedisClient, 'status'> {
  const script =
    (name: string, answers: Parameters<Send>[2]) =>
    (code: string, keys: number, ...given: RedisArgument[]) =>
      send(given[0], [name, code, String(keys), ...given], answers)
  return {
    mget: (keys) => send(keys[0], ['MGET', ...keys], TEXTS) as Promise<(string | null)[]>,
    mgetBuffer: (keys) => send(keys[0], ['MGET', ...keys], BYTES) as Promise<(Buffer | null)[]>,
    set: (key, value, onlyIf) =>
      send(key, ['SET', key, value, onlyIf], TEXTS) as Promise<string | null>,
    eval: script('EVAL', TEXTS),
    evalsha: script('EVALSHA', TEXTS),
    evalBuffer: script('EVAL', BYTES),
    evalshaBuffer: script('EVALSHA', BYTES),
    // Scripts alone are called by it, and have their first key here.
    callBuffer: (command, ...given) => {
      const args = given.map((one) => (typeof one === 'number' ? String(one) : one))
      return send(args[2], [command, ...args], BYTES)
    },
    config: (subcommand, parameter) => send(undefined, ['CONFIG', subcommand, parameter], TEXTS),
    scan: (cursor, ...how) =>
      send(undefined, ['SCAN', cursor, ...how.map(String)], TEXTS) as Promise<[string, string[]]>,
    publish: (channel, message) => send(undefined, ['PUBLISH', channel, message], TEXTS),
  }
}
