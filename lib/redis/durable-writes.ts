import { inTime } from '../ports/time-limit.js'
import { DEFAULT_TIMEOUT } from '../ports/with-timeout.js'
import type { Durability } from './durability.js'
import { slotOfKey } from './hash-slot.js'
import { isReady, isReply, type RedisClient, type ScriptClient } from './redis-client.js'
import { ELSEWHERE } from './sent-together.js'

type Command = 'eval' | 'evalsha'

/** Of one master. More than a process can have under way while Redis answers. */
const WAITING_AT_MOST = 10_000

/** Slots have moved since their writes were put together: ioredis has sent none of them. */
const APART = /same slots allocation group/

/** A script that somebody waits for. */
interface Write {
  readonly command: Command
  readonly args: Parameters<RedisClient['eval']>
  /** By `performance.now()`: its caller is refused then. */
  readonly until: number
  resolve(answer: unknown): void
  reject(reason: unknown): void
}

/**
 * Runs scripts that write, and rejects where too few replicas have what they wrote: the write has taken place
 * then, and a failover may forget it.
 *
 * WAIT tells of the writes of its own connection, so a script and its WAIT are one pipeline: after a dropped
 * connection the client sends all of it again, or nothing. WAIT also holds up everything behind it, so the writes for
 * one master that come while another is waited for go together, and share one. A write that has waited until its
 * caller was refused is not sent: a Redis that stood still would run it when nobody expects it any more.
 *
 * @param timeout milliseconds after which a caller is refused
 */
export function durableWrites(
  redis: RedisClient,
  durability: Durability,
  timeout: () => number = () => DEFAULT_TIMEOUT,
): ScriptClient {
  const queues = new Map<string | undefined, Queue>()
  const run =
    (command: Command, until: () => number) =>
    (...args: Write['args']) =>
      new Promise<unknown>((resolve, reject) => {
        const master = masterOf(redis, args)
        const queue = queues.get(master) ?? new Queue(redis, durability, timeout)
        queues.set(master, queue)
        queue.add({ command, args, until: until(), resolve, reject })
      })
  const clientUntil = (until: () => number) => ({
    eval: run('eval', until),
    evalsha: run('evalsha', until),
  })
  const fromNow = () => performance.now() + timeout()
  return {
    ...clientUntil(fromNow),
    forOneCall() {
      const until = fromNow()
      return clientUntil(() => until)
    },
  }
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
  readonly #timeout: () => number
  #next: Write[] = []
  #isSending = false
  /** Whether the last group has had no answer. */
  #isSilent = false

  constructor(redis: RedisClient, durability: Durability, timeout: () => number) {
    this.#redis = redis
    this.#durability = durability
    this.#timeout = timeout
  }

  add(write: Write): void {
    if (this.#next.length >= WAITING_AT_MOST) {
      write.reject(new Error('too many writes wait for Redis'))
      return
    }
    this.#next.push(write)
    if (!this.#isSending) void this.#send()
  }

  async #send(): Promise<void> {
    this.#isSending = true
    // Those of the same moment are one group.
    await null
    while (this.#next.length > 0) {
      if ((this.#isSilent || !isReady(this.#redis)) && !(await this.#isBack())) continue
      const group = this.#taken().filter(isExpected)
      if (group.length === 0) continue
      const isHeard = this.#sendTogether(group)
      this.#isSilent = !(await inTime(isHeard, this.#timeout()).catch(() => false))
    }
    this.#isSending = false
  }

  #taken(): readonly Write[] {
    const group = this.#next
    this.#next = []
    return group
  }

  /**
   * Whether Redis goes on; otherwise those that wait are rejected. Only a read asks: what is sent to one that stands
   * still takes place later.
   */
  async #isBack(): Promise<boolean> {
    const keys = this.#next.slice(0, 1).map(({ args }) => keyOf(args))
    try {
      await inTime(this.#redis.mget(keys), this.#timeout())
    } catch (error) {
      if (isReply(error)) return true
      for (const { reject } of this.#taken()) reject(error)
      return false
    }
    return true
  }

  /** Never rejects. Answers whether Redis has answered. */
  async #sendTogether(group: readonly Write[], isSecond = false): Promise<boolean> {
    try {
      const answers = await this.#answersTo(group)
      const waited = answers[group.length]
      // Who is sent elsewhere holds up nobody here.
      for (const [nth, write] of group.entries()) {
        void this.#settle(write, [answers[nth], waited], isSecond)
      }
      return answers.length > 0 && answers.every(([error]) => error === null || isReply(error))
    } catch (error) {
      if (group.length > 1 && APART.test(String(error))) return this.#sendApart(group)
      for (const { reject } of group) reject(error)
      return false
    }
  }

  async #sendApart(group: readonly Write[]): Promise<boolean> {
    const sent = group.filter(isExpected).map((write) => this.#sendTogether([write]))
    return (await Promise.all(sent)).every((isHeard) => isHeard)
  }

  async #answersTo(group: readonly Write[]): Promise<readonly Answer[]> {
    const { replicas, within } = this.#durability
    const pipeline = this.#redis.pipeline?.()
    pipeline?.sendUntil?.(Math.min(...group.map(({ until }) => until)))
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
      if (isExpected(write)) await this.#sendTogether([write], true)
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

/** Whether its caller still waits. Otherwise it is rejected. */
function isExpected({ until, reject }: Write): boolean {
  if (performance.now() < until) return true
  reject(new Error('Redis was silent, and the write was not sent'))
  return false
}

type Answer = readonly [error: Error | null, answer?: unknown]

const SILENCE: Answer = [new Error('Redis did not answer a write')]
