import type { Durability } from './durability.js'
import { slotOfKey } from './hash-slot.js'
import type { RedisClient, ScriptClient } from './redis-client.js'
import { ELSEWHERE } from './sent-together.js'

type Command = 'eval' | 'evalsha'

/** A script that somebody waits for. */
interface Write {
  readonly command: Command
  readonly args: Parameters<RedisClient['eval']>
  resolve(answer: unknown): void
  reject(reason: unknown): void
}

/**
 * Runs scripts that write, and rejects where too few replicas have what they wrote: the write has taken place
 * then, and a failover may forget it.
 *
 * WAIT tells of the writes of its own connection, so a script and its WAIT are one pipeline: after a dropped
 * connection the client sends all of it again, or nothing. WAIT also holds up everything behind it, so the writes for
 * one master that come while another is waited for go together, and share one.
 */
export function durableWrites(redis: RedisClient, durability: Durability): ScriptClient {
  const queues = new Map<string | undefined, Queue>()
  const run =
    (command: Command) =>
    (...args: Write['args']) =>
      new Promise<unknown>((resolve, reject) => {
        const master = masterOf(redis, args)
        const queue = queues.get(master) ?? new Queue(redis, durability)
        queues.set(master, queue)
        queue.add({ command, args, resolve, reject })
      })
  return { eval: run('eval'), evalsha: run('evalsha') }
}

/** By the servers that have the slot, as ioredis groups them. Undefined where that is not known. */
function masterOf({ slots }: RedisClient, args: Write['args']): string | undefined {
  if (slots === undefined) return undefined
  return slots[slotOfKey(keyOf(args))]?.join()
}

function keyOf([, , key]: Write['args']): string {
  return String(key)
}

/** The writes for one master. */
class Queue {
  readonly #redis: RedisClient
  readonly #durability: Durability
  #next: Write[] = []
  #isSending = false

  constructor(redis: RedisClient, durability: Durability) {
    this.#redis = redis
    this.#durability = durability
  }

  add(write: Write): void {
    this.#next.push(write)
    if (!this.#isSending) void this.#send()
  }

  async #send(): Promise<void> {
    this.#isSending = true
    // Those of the same moment are one group.
    await null
    while (this.#next.length > 0) {
      const group = this.#next
      this.#next = []
      await this.#sendTogether(group)
    }
    this.#isSending = false
  }

  /** Never rejects. */
  async #sendTogether(group: readonly Write[], isSecond = false): Promise<void> {
    try {
      const answers = await this.#answersTo(group)
      const waited = answers[group.length]
      // Who is sent elsewhere holds up nobody here.
      for (const [nth, write] of group.entries()) {
        void this.#settle(write, [answers[nth], waited], isSecond)
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  async #answersTo(group: readonly Write[]): Promise<readonly Answer[]> {
    const { replicas, within } = this.#durability
    const pipeline = this.#redis.pipeline?.()
    for (const { command, args } of group) pipeline?.callBuffer(command, ...args)
    pipeline?.callBuffer('wait', replicas, within)
    return (await pipeline?.exec()) ?? []
  }

  async #settle(
    write: Write,
    [told = SILENCE, waited = SILENCE]: readonly (Answer | undefined)[],
    isSecond: boolean,
  ): Promise<void> {
    const [error, answer] = told
    if (error === null) {
      const missing = waited[0] ?? this.#shortOf(waited[1])
      if (missing === null) write.resolve(answer)
      else write.reject(missing)
    } else if (ELSEWHERE.test(error.message) && !isSecond) {
      // By a read on its own the client of a cluster finds the master, and nothing is counted twice.
      await this.#redis.mget([keyOf(write.args)]).catch(() => undefined)
      await this.#sendTogether([write], true)
    } else {
      write.reject(error)
    }
  }

  #shortOf(acknowledged: unknown): Error | null {
    const { replicas, within } = this.#durability
    const count = Number(acknowledged)
    if (count >= replicas) return null
    return new Error(`${count} of ${replicas} replicas had the write within ${within} ms`)
  }
}

type Answer = readonly [error: Error | null, answer?: unknown]

const SILENCE: Answer = [new Error('Redis did not answer a write')]
