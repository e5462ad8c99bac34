import { costsACode, notedADay } from '../domain/event-kind.js'
import { DAY_S } from '../domain/units.js'
import type { AuditEntry } from '../ports/audit-log.js'
import type { Tally, Wanted } from './tally.js'

const NOTED = { name: 'noted-attempts', seconds: DAY_S }
/** Beyond that the oldest is forgotten, and one entry more is kept. */
const FULL_AT_MOST = 10_000

/** An event that may follow. */
export type Expected = Pick<AuditEntry, 'type' | 'method'>

/** A place in the day's count. */
export type NotedPlace = Wanted & { readonly key: string }

/**
 * Limits the entries in the audit log of what somebody can cause as often as they like, per day, kind and
 * user. Otherwise they could push their own traces out of the log with new ones. Listeners get every event.
 *
 * What costs a code is counted after its entry is kept, so that no entry waits for a call: a process may keep a
 * few too many, but only what was accepted within a second. Everything else has a place before its entry.
 */
export class NotedAttempts {
  readonly #tally: Tally
  readonly #ahead = new Map<string, NotedPlace[]>()
  /** Of what is counted afterwards: the keys that had no place left when this process last heard of them. */
  readonly #full = new Set<string>()

  constructor(tally: Tally) {
    this.#tally = tally
  }

  /**
   * Places of what may happen next to a user, to be taken in the same call as others. An entry that
   * follows uses one without a call of its own.
   *
   * Until it is known what happened, they are places that no other process has. So take none for what
   * costs a code: codes that fail would keep an accepted one out of the log.
   */
  placesAhead(user: string, events: readonly Expected[]): readonly NotedPlace[] {
    const actor = { kind: 'user', id: user } as const
    return events.flatMap(({ type, method }) => {
      return placeOf({ type, method, user, actor }) ?? []
    })
  }

  /** They are taken. */
  keep(places: readonly NotedPlace[]): void {
    for (const place of places) {
      this.#ahead.set(place.key, [...(this.#ahead.get(place.key) ?? []), place])
    }
  }

  /** What they were taken for did not happen, or has used them. @returns those that nothing has used */
  drop(places: readonly NotedPlace[]): readonly NotedPlace[] {
    return places.filter((place) => {
      const kept = this.#ahead.get(place.key) ?? []
      this.#leave(
        place.key,
        kept.filter((one) => one !== place),
      )
      return kept.includes(place)
    })
  }

  /** The entries to keep, in their order. Never rejects. */
  async worth(entries: readonly AuditEntry[]): Promise<readonly AuditEntry[]> {
    // In one round trip: an accepted backup code is three entries.
    const worth = await Promise.all(entries.map((entry) => this.#isWorthIt(entry)))
    return entries.filter((_, index) => worth[index])
  }

  /** The entries could not be written: the next ones are worth as much. Never rejects. */
  async giveBack(entries: readonly AuditEntry[]): Promise<void> {
    await this.#tally.giveBack(entries.flatMap((entry) => placeOf(entry) ?? []))
  }

  async #isWorthIt(entry: AuditEntry): Promise<boolean> {
    const place = placeOf(entry)
    if (place === null) return true
    const { key } = place
    const [ahead, ...others] = this.#ahead.get(key) ?? []
    if (ahead !== undefined) {
      this.#leave(key, others)
      return true
    }
    if (!costsACode(entry)) return (await this.#take(place)) !== null
    const learn = (left: number | null) => this.#learn(key, left)
    if (!this.#full.has(key) && this.#tally.takeLater(place, learn)) return true
    const left = await this.#take(place)
    learn(left)
    return left !== null
  }

  /** @returns the places that are left; null: none was free */
  async #take(place: NotedPlace): Promise<number | null> {
    try {
      const taken = await this.#tally.takeAll([place])
      if (taken.kind === 'taken') return taken.left[0] ?? null
    } catch {}
    // If the count is unavailable, keeps the entry: a full log is better than a missing entry.
    return place.limit
  }

  #learn(key: string, left: number | null): void {
    this.#full.delete(key)
    if (left !== null && left > 0) return
    this.#full.add(key)
    const [oldest] = this.#full
    if (this.#full.size > FULL_AT_MOST && oldest !== undefined) this.#full.delete(oldest)
  }

  #leave(key: string, places: readonly NotedPlace[]): void {
    if (places.length === 0) this.#ahead.delete(key)
    else this.#ahead.set(key, [...places])
  }
}

type Noted = Pick<AuditEntry, 'type' | 'method' | 'user' | 'actor'>

/** Null: all such entries are kept. */
function placeOf(entry: Noted): NotedPlace | null {
  const limit = notedADay(entry)
  return limit === null ? null : { counter: NOTED, key: keyOf(entry), limit, optional: true }
}

/** Counted per admin, so that one admin's refusals do not hide another's. */
function keyOf({ type, method, user, actor }: Noted): string {
  return JSON.stringify([type, method, user, actor.kind === 'admin' ? actor.id : null])
}
