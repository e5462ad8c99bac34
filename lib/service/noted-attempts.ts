import { notedADay } from '../domain/event-kind.js'
import { DAY_S } from '../domain/units.js'
import type { AuditEntry } from '../ports/audit-log.js'
import { briefly } from '../ports/time-limit.js'
import type { Tally, Wanted } from './tally.js'

const NOTED = { name: 'noted-attempts', seconds: DAY_S }
/** Beyond that the oldest is forgotten, and one entry more is kept. */
const FULL_AT_MOST = 10_000

/** A place in the day's count. */
type NotedPlace = Wanted & { readonly key: string }

/**
 * Limits the entries in the audit log of what somebody can cause as often as they like, per day, kind and
 * user. Otherwise they could push their own traces out of the log with new ones. Listeners get every event.
 *
 * Only what happened takes a place. A place taken ahead would keep what happens meanwhile out of the log. So that
 * nothing waits for a call, an entry is kept at once and counted by a later call, unless another of the same count
 * is not counted yet. So each process may keep one too many until it hears that the day's places are taken.
 */
export class NotedAttempts {
  readonly #tally: Tally
  /** The keys that had no place left when this process last heard of them. */
  readonly #full = new Set<string>()

  constructor(tally: Tally) {
    this.#tally = tally
  }

  /** The entries to keep, in their order. Never rejects. */
  async toKeep(entries: readonly AuditEntry[]): Promise<readonly AuditEntry[]> {
    const [first] = entries
    // Most are: an accepted code of an app is one entry.
    if (first !== undefined && entries.length === 1) {
      return (await this.#isToKeep(first)) ? entries : []
    }
    // In one round trip: an accepted backup code is three entries.
    const isKept = await Promise.all(entries.map((entry) => this.#isToKeep(entry)))
    return entries.filter((_, index) => isKept[index])
  }

  /** The entries could not be written: gives their places back. Never rejects. */
  async giveBack(entries: readonly AuditEntry[]): Promise<void> {
    await this.#tally.giveBack(entries.flatMap((entry) => placeOf(entry) ?? []))
  }

  async #isToKeep(entry: AuditEntry): Promise<boolean> {
    const place = placeOf(entry)
    if (place === null) return true
    const { key } = place
    const learn = (left: number | null) => this.#learn(key, left)
    if (!this.#full.has(key) && this.#tally.takeLater(place, learn)) return true
    // While the counts are slow, a count that was full is still full.
    let isNoted = !this.#full.has(key)
    const taking = this.#take(place).then((left) => {
      learn(left)
      isNoted = left !== null
    })
    await briefly(taking, this.#tally.timeout)
    return isNoted
  }

  /** @returns the places that are left; null: none was free */
  async #take(place: NotedPlace): Promise<number | null> {
    try {
      const taken = await this.#tally.takeAll([place])
      if (taken.kind === 'taken') return taken.left[0] ?? null
      if (taken.wait > 0) return null
    } catch {}
    // If the count is unavailable, or silent, keeps the entry: a full log is better than a missing entry.
    return place.limit
  }

  #learn(key: string, left: number | null): void {
    this.#full.delete(key)
    if (left !== null && left > 0) return
    this.#full.add(key)
    const [oldest] = this.#full
    if (this.#full.size > FULL_AT_MOST && oldest !== undefined) this.#full.delete(oldest)
  }
}

type Noted = Pick<AuditEntry, 'type' | 'method' | 'user' | 'actor'>

/** Null: all such entries are kept. */
function placeOf(entry: Noted): NotedPlace | null {
  const limit = notedADay(entry)
  return limit === null ? null : { counter: NOTED, key: keyOf(entry), limit }
}

/** Counted per admin, so that one admin's refusals do not hide another's. */
function keyOf({ type, method, user, actor }: Noted): string {
  return JSON.stringify([type, method, user, actor.kind === 'admin' ? actor.id : null])
}
