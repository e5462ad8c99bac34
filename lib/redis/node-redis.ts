import type { RedisArgument, RedisClient, RedisSubscriber } from './redis-client.js'

/**
 * The required shape of a client of the package `redis` (node-redis) 5 or 6, as `createClient()` returns it.
 * It must have `disableOfflineQueue: true`.
 */
export interface NodeRedisClient {
  readonly isReady: boolean
  readonly options?: object
  sendCommand(args: readonly RedisArgument[], options?: object): Promise<unknown>
  withTypeMapping(mapping: object): unknown
  /** Another connection to the same place. */
  duplicate(overrides?: object): unknown
}

/** What is used of the connection that listens. */
interface Listening {
  readonly isOpen: boolean
  connect(): Promise<unknown>
  destroy(): unknown
  on(event: string, listener: (...args: unknown[]) => void): unknown
  subscribe(
    channels: string[],
    listener: (message: unknown, channel: unknown) => void,
  ): Promise<unknown>
}

type Send = (
  key: RedisArgument | undefined,
  args: readonly RedisArgument[],
  answers: typeof TEXTS | typeof BYTES,
) => Promise<unknown>

/** Whatever the host has mapped for itself. */
const TEXTS = { typeMapping: {} }
/** By the first byte of what RESP calls a bulk string, `$`. */
const BYTES = { typeMapping: { 36: Buffer } }

const LONGEST_PAUSE = 5000

export function isNodeRedis(given: unknown): given is NodeRedisClient {
  const { isReady, sendCommand, withTypeMapping } = Object(given) as Partial<NodeRedisClient>
  const methods = [sendCommand, withTypeMapping]
  return typeof isReady === 'boolean' && methods.every((one) => typeof one === 'function')
}

/** The client as the stores use it. Every command goes as it is: commands of one tick are sent together. */
export function portOfNodeRedis(given: NodeRedisClient): RedisClient {
  return {
    get status() {
      return given.isReady ? 'ready' : 'away'
    },
    ...commandsBy((_key, args, answers) => given.sendCommand(args, answers)),
    duplicate: () => subscriberOf(listeningClient(given)),
  }
}

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
    callBuffer: (command, ...args) => send(undefined, [command, ...args.map(argumentOf)], BYTES),
    config: (subcommand, parameter) => send(undefined, ['CONFIG', subcommand, parameter], TEXTS),
    scan: (cursor, ...how) =>
      send(undefined, ['SCAN', cursor, ...how.map(String)], TEXTS) as Promise<[string, string[]]>,
    publish: (channel, message) => send(undefined, ['PUBLISH', channel, message], TEXTS),
  }
}

function argumentOf(given: RedisArgument | number): RedisArgument {
  return typeof given === 'number' ? String(given) : given
}

/** It waits for as long as it takes, and comes back whatever the host's own client does. */
function listeningClient(given: NodeRedisClient): Listening {
  const { socket } = Object(given.options) as { socket?: object }
  return given.duplicate({
    disableOfflineQueue: false,
    socket: {
      ...socket,
      socketTimeout: undefined,
      reconnectStrategy: (times: number) => Math.min(times * 200, LONGEST_PAUSE),
    },
  }) as Listening
}

function subscriberOf(client: Listening): RedisSubscriber {
  let tell: (...args: unknown[]) => void = () => undefined
  // The same function each time: node-redis subscribes again by itself, and does not add it twice.
  const hear = (message: unknown, channel: unknown) => tell(channel, message)
  return {
    status: 'wait',
    // It tries again until it is closed, and tells of each failure as an `error`.
    connect: () => client.connect().catch(() => undefined),
    on(event, listener) {
      if (event === 'message') tell = listener
      else client.on(event, listener)
    },
    subscribe: (...channels) => client.subscribe(channels, hear),
    disconnect() {
      if (client.isOpen) client.destroy()
    },
  }
}
