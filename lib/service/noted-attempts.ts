import { notedADay } from '../domain/event-kind.js'
import { DAY_S } from '../domain/units.js'
import type { AuditEntry } from '../ports/audit-log.js'
import type { Counter, Counters } from '../ports/counters.js'

/**
 * Limits the entries in the audit log of what somebody can cause as often as they like, per day, kind and
 * user. Otherwise they could push their own traces out of the log with new ones. Listeners get every event.
 */
export class NotedAttempts {
  readonly #noted: Counter

  constructor(counters: Counters) {
    this.#noted = counters.counter('noted-attempts', DAY_S)
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
    try {
      return (await this.#noted.take(keyOf(entry), limit)).taken
    } catch {
      // If the count is unavailable, keeps the entry: a full log is better than a missing entry.
      return true
    }
  }
}

/** Counted per admin, so that one admin's refusals do not hide another's. */
function keyOf({ type, method, user, actor }: AuditEntry): string {
  return JSON.stringify([type, method, user, actor.kind === 'admin' ? actor.id : null])
}
