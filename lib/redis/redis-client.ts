import { createHash } from 'node:crypto'

export type RedisArgument = string | Buffer

/**
 * The required shape of a Redis client, as ioredis' `Redis` and `Cluster` have it. So the package
 * works with the host's own copy and imports none.
 */
export interface RedisClient {
  readonly status: string
  mget(keys: string[]): Promise<(string | null)[]>
  /** The same, as bytes. */
  mgetBuffer(keys: string[]): Promise<(Buffer | null)[]>
  set(key: string, value: string, onlyIf: 'NX'): Promise<string | null>
  eval(lua: string, numberOfKeys: number, ...keysAndArguments: RedisArgument[]): Promise<unknown>
  evalsha(
    sha1: string,
    numberOfKeys: number,
    ...keysAndArguments: RedisArgument[]
  ): Promise<unknown>
  /** Any command, with the texts of its answer as bytes. */
  callBuffer(command: string, ...args: (RedisArgument | number)[]): Promise<unknown>
  /** As `eval`, with bytes. ioredis has it, but not in its types. */
  evalBuffer?(...args: Parameters<RedisClient['eval']>): Promise<unknown>
  /** As `evalsha`, likewise. */
  evalshaBuffer?(...args: Parameters<RedisClient['evalsha']>): Promise<unknown>
  config(subcommand: 'GET', parameter: string): Promise<unknown>
  scan(
    cursor: string,
    match: 'MATCH',
    pattern: string,
    count: 'COUNT',
    about: number,
  ): Promise<[cursor: string, keys: string[]]>
  /** Commands that are sent together. Of a cluster: all to one of its masters. */
  pipeline?(): RedisPipeline
  /** Of a cluster: the servers of each slot, the master first. */
  readonly slots?: readonly (readonly string[] | undefined)[]
  /** Of a cluster: its masters. */
  nodes?(role: 'master'): readonly Pick<RedisClient, 'config' | 'scan' | 'pipeline'>[]
  readonly options?: object
  publish?(channel: string, message: string): Promise<unknown>
  /** Another connection to the same place. */
  duplicate?(override?: object): RedisSubscriber
}

/**
 * Whether an error is what a server has answered: it begins with a code, as in `ERR unknown command` or `NOPERM this
 * user …`. Anything else means that there was no answer.
 */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && /^[A-Z]+ /.test(error.message)
}

/** Collects commands, and sends them. */
export interface RedisPipeline {
  callBuffer(command: string, ...args: (RedisArgument | number)[]): unknown
  mgetBuffer(keys: string[]): unknown
  /** Of a client that waits for a connection: then, by `performance.now()`, it rejects what is not sent yet. */
  sendUntil?(moment: number): void
  exec(): Promise<[error: Error | null, answer: unknown][] | null>
}

/** A connection that listens to messages. */
export interface RedisSubscriber {
  /** ioredis: `wait` where it connects only when it is told to. */
  readonly status?: string
  connect?(): Promise<unknown>
  on(event: string, listener: (...args: unknown[]) => void): unknown
  subscribe(...channels: string[]): Promise<unknown>
  disconnect(): void
}

/** Whether a command is sent at once. A client that connects at its first command (`lazyConnect`) counts as ready. */
export function isReady({ status }: Pick<RedisClient, 'status'>): boolean {
  return status === 'ready' || status === 'wait'
}

/** What scripts are run by. */
export interface ScriptClient extends Pick<RedisClient, 'eval' | 'evalsha'> {
  /** The same for one call, whose time runs from now, however many commands it needs. */
  forOneCall?(): ScriptClient
}

/** Runs one script on the keys, in one round trip where the server knows it already. */
export type RedisScript = (
  redis: ScriptClient,
  keys: readonly string[],
  args: readonly RedisArgument[],
) => Promise<unknown>

/** ioredis puts it behind words of its own where other masters have sent it elsewhere before. */
const UNKNOWN = /\bNOSCRIPT\b/

/** A script sent by its hash, and whole to a server that was restarted or flushed its scripts. */
export function redisScript(lua: string): RedisScript {
  const sha1 = createHash('sha1').update(lua).digest('hex')
  return async (given, keys, args) => {
    const redis = given.forOneCall?.() ?? given
    try {
      return await redis.evalsha(sha1, keys.length, ...keys, ...args)
    } catch (error) {
      if (!(error instanceof Error && UNKNOWN.test(error.message))) throw error
      return redis.eval(lua, keys.length, ...keys, ...args)
    }
  }
}

/** What a script is run with whose answer is to be bytes. */
export type BytesClient = Pick<RedisClient, 'callBuffer' | 'evalBuffer' | 'evalshaBuffer'>

/**
 * Runs a script by the client's own method for it: `callBuffer` of an ioredis client with `enableAutoPipelining` loses
 * the name of the command.
 */
export function callForBytes(
  redis: BytesClient,
  command: 'eval' | 'evalsha',
  ...args: Parameters<RedisClient['eval']>
): Promise<unknown> {
  const name = `${command}Buffer` as const
  return redis[name]?.(...args) ?? redis.callBuffer(command, ...args)
}

/** As `redisScript`, for answers that hold bytes. */
export function redisBytesScript(
  lua: string,
): (
  redis: BytesClient,
  keys: readonly string[],
  args: readonly RedisArgument[],
) => Promise<unknown> {
  const script = redisScript(lua)
  return (redis, keys, args) =>
    script(
      {
        eval: (...given) => callForBytes(redis, 'eval', ...given),
        evalsha: (...given) => callForBytes(redis, 'evalsha', ...given),
      },
      keys,
      args,
    )
}
