import { createRequire } from 'node:module'
import type { LRUCache } from 'lru-cache'
import type { Policy } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import type { System } from '../ports/system.js'

/** About 20 MB of records at most. */
const KEPT_AT_MOST = 10_000

/** What the guard reads of a user. */
export interface Look {
  readonly record: SecondStepRecord
  readonly policy: Policy
}

interface KeptLook extends Look {
  /** When the read was begun, by the clock that is never set. */
  readonly begun: number
  /** The same by the system's clock. */
  readonly begunAt: number
}

/** Reads of one user that are under way. */
interface Reading {
  readers: number
  /** Whether the user, or the policy, has changed since the first of them was begun. */
  isOvertaken: boolean
}

/**
 * Keeps what the guard has read for a short time, in this process alone. Nothing else reads it. An entry
 * is good for so long after its read was begun, and no longer once it is dropped: a read that a change
 * has overtaken is not kept.
 */
export class KeptLooks {
  readonly #within: number
  readonly #system: System
  readonly #monotonic: () => number
  readonly #kept: LRUCache<string, KeptLook>
  readonly #reading = new Map<string, Reading>()

  /** @param within milliseconds for which an entry is good */
  constructor(within: number, system: System, keptAtMost = KEPT_AT_MOST) {
    this.#within = within
    this.#system = system
    this.#monotonic = () => system.monotonic?.() ?? performance.now()
    this.#kept = emptyCache(keptAtMost)
  }

  /** What was read of the user, or null where it must be read anew. */
  find(userId: string): Look | null {
    const kept = this.#kept.get(userId)
    if (kept === undefined) return null
    if (this.#isGood(kept)) return kept
    this.#kept.delete(userId)
    return null
  }

  /** Reads, and keeps what was read unless a change has overtaken it. A read that fails keeps nothing. */
  async read(userId: string, read: () => Promise<Look>): Promise<Look> {
    const reading = this.#begin(userId)
    const begun = this.#monotonic()
    const begunAt = this.#system.now()
    try {
      const { record, policy } = await read()
      if (!reading.isOvertaken) this.#kept.set(userId, { record, policy, begun, begunAt })
      return { record, policy }
    } finally {
      this.#end(userId, reading)
    }
  }

  drop(userId: string): void {
    this.#kept.delete(userId)
    const reading = this.#reading.get(userId)
    if (reading === undefined) return
    reading.isOvertaken = true
    this.#reading.delete(userId)
  }

  dropAll(): void {
    // To empty it takes time in proportion to its size, however little is in it.
    if (this.#kept.size > 0) this.#kept.clear()
    for (const reading of this.#reading.values()) reading.isOvertaken = true
    this.#reading.clear()
  }

  /** The system's clock counts too: the other may stand still while the machine is suspended. */
  #isGood({ begun, begunAt }: KeptLook): boolean {
    const isYoung = this.#monotonic() - begun < this.#within
    return isYoung && Math.abs(this.#system.now() - begunAt) < this.#within
  }

  #begin(userId: string): Reading {
    const reading = this.#reading.get(userId) ?? { readers: 0, isOvertaken: false }
    reading.readers += 1
    this.#reading.set(userId, reading)
    return reading
  }

  #end(userId: string, reading: Reading): void {
    reading.readers -= 1
    if (reading.readers === 0 && !reading.isOvertaken) this.#reading.delete(userId)
  }
}

const require = createRequire(import.meta.url)

/** Loaded here, because most apps read at every request and would load it for nothing at their start. */
function emptyCache(max: number): LRUCache<string, KeptLook> {
  const { LRUCache } = require('lru-cache') as typeof import('lru-cache')
  return new LRUCache({ max })
}
