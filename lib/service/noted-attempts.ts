import { notedADay } from '../domain/event-kind.js'
import { DAY_S } from '../domain/units.js'
import type { AuditEntry } from '../ports/audit-log.js'
import type { Counter, Counters } from '../ports/counters.js'
import type { Wanted } from './tally.js'

const NOTED = { name: 'noted-attempts', seconds: DAY_S }

/** An event that may follow. */
export type Expected = Pick<AuditEntry, 'type' | 'method'>

/** A place that was taken before its entry is known. */
export type PlaceAhead = Wanted & { readonly key: string }

/**
 * Limits the entries in the audit log of what somebody can cause as often as they like, per day, kind and
 * user. Otherwise they could push their own traces out of the log with new ones. Listeners get every event.
 */
export class NotedAttempts {
  readonly #noted: Counter
  readonly #ahead = new Map<string, PlaceAhead[]>()

  constructor(counters: Counters) {
    this.#noted = counters.counter(NOTED.name, NOTED.seconds)
  }

  /**
   * Places of what may happen next to a user, to be taken in the same call as others. An entry that
   * follows uses one without a call of its own.
   */
  placesAhead(user: string, events: readonly Expected[]): readonly PlaceAhead[] {
    const actor = { kind: 'user', id: user } as const
    return events.flatMap(({ type, method }) => {
      const limit = notedADay({ type, actor })
      const key = keyOf({ type, method, user, actor })
      return limit === null ? [] : [{ counter: NOTED, key, limit, optional: true }]
    })
  }

  /** They are taken. */
  keep(places: readonly PlaceAhead[]): void {
    for (const place of places) {
      this.#ahead.set(place.key, [...(this.#ahead.get(place.key) ?? []), place])
    }
  }

  /** What they were taken for did not happen, or has used them. @returns those that nothing has used */
  drop(places: readonly PlaceAhead[]): readonly PlaceAhead[] {
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
    const counted = entries.filter((entry) => notedADay(entry) !== null)
    const given = counted.map((entry) => this.#noted.giveBack(keyOf(entry)))
    await Promise.allSettled(given)
  }

  async #isWorthIt(entry: AuditEntry): Promise<boolean> {
    const limit = notedADay(entry)
    if (limit === null) return true
    const key = keyOf(entry)
    const [ahead, ...others] = this.#ahead.get(key) ?? []
    if (ahead !== undefined) {
      this.#leave(key, others)
      return true
    }
    try {
      return (await this.#noted.take(key, limit)).taken
    } catch {
      // If the count is unavailable, keeps the entry: a full log is better than a missing entry.
      return true
    }
  }

  #leave(key: string, places: readonly PlaceAhead[]): void {
    if (places.length === 0) this.#ahead.delete(key)
    else this.#ahead.set(key, [...places])
  }
}

/** Counted per admin, so that one admin's refusals do not hide another's. */
function keyOf({
  type,
  method,
  user,
  actor,
}: Pick<AuditEntry, 'type' | 'method' | 'user' | 'actor'>): string {
  return JSON.stringify([type, method, user, actor.kind === 'admin' ? actor.id : null])
}
