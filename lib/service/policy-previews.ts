import { addPause, exceptedUntil, NO_PAUSES } from '../domain/pause.js'
import { CHANGEABLE } from '../domain/policy-change.js'
import { type Concern, concernOf } from '../domain/policy-concern.js'
import { MINUTE_MS, SECOND_MS } from '../domain/units.js'
import { everyUser } from './every-user.js'
import { pauseBetweenPages } from './page-by-page.js'
import {
  ASK_AGAIN,
  type PolicyCount,
  type PolicyCountParts,
  type PolicyCounts,
  type PolicyStep,
} from './policy-count.js'

const PATIENCE = ASK_AGAIN * SECOND_MS
const AT_ONCE = 2

/**
 * Counts whom a change of the policy concerns, in this process. A count that takes longer than one question may wait
 * goes on, and the same question finds it again.
 */
export class PolicyPreviews implements PolicyCounts {
  readonly #parts: PolicyCountParts
  readonly #counts = new Map<string, Count>()

  constructor(parts: PolicyCountParts) {
    this.#parts = parts
  }

  /** @throws UnavailableError where the users or their records cannot be read */
  async count(change: PolicyStep): Promise<PolicyCount> {
    const { now, patience = PATIENCE } = this.#parts
    for (const [key, { endedAt }] of this.#counts) {
      if (endedAt !== null && now() - endedAt > MINUTE_MS) this.#counts.delete(key)
    }
    const key = JSON.stringify([
      change.before.version,
      CHANGEABLE.map((name) => change.after[name]),
    ])
    const count = this.#counts.get(key) ?? new Count(this.#parts, change)
    this.#counts.set(key, count)
    for (const [oldest, other] of this.#counts) {
      if (this.#counts.size <= AT_ONCE) break
      other.stop()
      this.#counts.delete(oldest)
    }
    try {
      await within(patience, count.ended)
    } catch (error) {
      this.#counts.delete(key)
      throw error
    }
    const counted = count.figures()
    if (counted.whole) this.#counts.delete(key)
    return counted
  }

  /** Ends all counts. */
  stop(): void {
    for (const count of this.#counts.values()) count.stop()
  }
}

class Count {
  /** Rejects where it failed. */
  readonly ended: Promise<void>
  endedAt: number | null = null
  readonly #listed: boolean
  readonly #of: Record<Concern, number> = { 'setup-now': 0, 'setup-later': 0, code: 0, nothing: 0 }
  readonly #roles: Map<string, { known: number; concerned: number }>
  readonly #all = { known: 0, concerned: 0 }
  readonly #admins = { known: 0, concerned: 0, now: 0 }
  #pauses = NO_PAUSES
  #unreadable = 0
  #whole = false
  #stopped = false

  constructor(parts: PolicyCountParts, change: PolicyStep) {
    this.#listed = parts.accounts.searchable
    this.#roles = new Map(parts.roles.map((role) => [role, { known: 0, concerned: 0 }]))
    this.ended = parts
      .apart(() => this.#run(parts, change))
      .finally(() => {
        this.endedAt = parts.now()
      })
    // Nobody may be waiting any more.
    this.ended.catch(() => undefined)
  }

  stop(): void {
    this.#stopped = true
  }

  figures(): PolicyCount {
    return {
      ...this.#all,
      admins: this.#admins.known,
      adminsConcerned: this.#admins.concerned,
      adminsNow: this.#admins.now,
      of: { ...this.#of },
      pauses: this.#pauses,
      roles: Object.fromEntries([...this.#roles].map(([role, both]) => [role, { ...both }])),
      unreadable: this.#unreadable,
      whole: this.#whole,
      listed: this.#listed,
    }
  }

  async #run(parts: PolicyCountParts, change: PolicyStep): Promise<void> {
    const now = parts.now()
    for await (const { users, unreadable } of everyUser({ pause: pauseBetweenPages, ...parts })) {
      if (this.#stopped) return
      this.#unreadable += unreadable
      for (const { account, record } of users) {
        const { subject } = account
        const concern = concernOf({ record, subject }, change, now)
        if (concern !== null) this.#of[concern] += 1
        const pause = exceptedUntil({ record, subject, policy: change.after }, now)
        if (pause !== null) this.#pauses = addPause(this.#pauses, pause)
        const groups = new Set(subject.roles.map((role) => this.#roles.get(role)))
        for (const group of [this.#all, ...(subject.privileged ? [this.#admins] : []), ...groups]) {
          if (group === undefined) continue
          group.known += 1
          if (concern !== null) group.concerned += 1
        }
        if (subject.privileged && concern === 'setup-now') this.#admins.now += 1
      }
    }
    this.#whole = true
  }
}

/** Resolves when the work is done or the time is over. Rejects where the work does. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  return Promise.race([work, over]).finally(() => clearTimeout(timer))
}
