import { callForBytes, type RedisClient, type RedisPipeline } from './redis-client.js'
import type { TagKeys } from './redis-keys.js'

/** What can be asked together with others. Nothing that writes: it may be asked twice. */
export type Reads = Pick<RedisClient, 'callBuffer' | 'mgetBuffer'>

/** The errors of a master that no longer has the slot. A client of a cluster knows what to do. */
export const ELSEWHERE = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b/

const COMMANDS = ['callBuffer', 'mgetBuffer', 'exec'] as const

/** So that a master already answers the first while the others are being made. */
const TOGETHER_AT_MOST = 16

/**
 * Asks many tags something, in a few writes to each master instead of one for each tag. How the slots are
 * shared out is but a hint: what a master refuses is asked again on its own, as everything is of a client
 * that has no pipelines.
 *
 * @param ask asks a tag one thing, synchronously, and returns its answer
 * @returns the answers in their order
 */
export async function sentTogether<T, A>(
  redis: RedisClient,
  asked: readonly T[],
  tagOf: (one: T) => TagKeys,
  ask: (reads: Reads, one: T, nth: number) => Promise<A>,
): Promise<A[]> {
  const answers: Promise<A>[] = []
  for (const places of placesByMaster(redis, asked.map(tagOf))) {
    const pipeline = places.length > 1 ? pipelineOf(redis) : undefined
    const batch = pipeline === undefined ? null : new Batch(redis, pipeline)
    for (const at of places) {
      const one = asked[at]
      if (one !== undefined) answers[at] = ask(batch ?? redis, one, at)
    }
    batch?.send()
  }
  return Promise.all(answers)
}

/** Undefined also for those of a client that is only like ioredis. */
function pipelineOf(redis: RedisClient): RedisPipeline | undefined {
  const pipeline = redis.pipeline?.()
  const isWhole = COMMANDS.every((name) => typeof pipeline?.[name] === 'function')
  return isWhole ? pipeline : undefined
}

function placesByMaster(
  { slots }: RedisClient,
  tags: readonly TagKeys[],
): readonly (readonly number[])[] {
  const open = new Map<string | undefined, number[]>()
  const all: number[][] = []
  for (const [at, { slot }] of tags.entries()) {
    const master = slots?.[slot]?.[0]
    const places = open.get(master)
    if (places !== undefined && places.length < TOGETHER_AT_MOST) {
      places.push(at)
    } else {
      const begun = [at]
      open.set(master, begun)
      all.push(begun)
    }
  }
  return all
}

/** Commands for one master. What is asked after it was sent, such as a whole script, goes on its own. */
class Batch implements Reads {
  readonly #redis: RedisClient
  readonly #pipeline: RedisPipeline
  readonly #answers: Promise<Awaited<ReturnType<RedisPipeline['exec']>>>
  #send: () => void = () => undefined
  #length = 0
  #isSent = false

  constructor(redis: RedisClient, pipeline: RedisPipeline) {
    this.#redis = redis
    this.#pipeline = pipeline
    this.#answers = new Promise((resolve) => {
      // Where the whole of it is refused, each is asked on its own.
      this.#send = () => resolve(pipeline.exec().catch(() => null))
    })
  }

  send(): void {
    this.#isSent = true
    this.#send()
  }

  callBuffer(command: 'eval' | 'evalsha', ...args: Parameters<RedisClient['eval']>) {
    const alone = () => callForBytes(this.#redis, command, ...args)
    if (this.#isSent) return alone()
    this.#pipeline.callBuffer(command, ...args)
    return this.#answer(alone)
  }

  mgetBuffer(keys: string[]): Promise<(Buffer | null)[]> {
    const alone = () => this.#redis.mgetBuffer(keys)
    if (this.#isSent) return alone()
    this.#pipeline.mgetBuffer(keys)
    return this.#answer(alone)
  }

  async #answer<A>(alone: () => Promise<A>): Promise<A> {
    const nth = this.#length
    this.#length += 1
    const told = (await this.#answers)?.[nth]
    if (told === undefined) return alone()
    const [error, answer] = told
    if (error === null) return answer as A
    if (ELSEWHERE.test(error.message)) return alone()
    throw error
  }
}
