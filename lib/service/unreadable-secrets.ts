import { DAY_S } from '../domain/units.js'
import type { Counter, Counters } from '../ports/counters.js'
import type { Announcer, RequestInfo } from './announcer.js'

/**
 * Announces that a user's secret cannot be opened. Once a day per user, because anybody who knows
 * the password can cause it again and again.
 */
export class UnreadableSecrets {
  readonly #counter: Counter
  readonly #announcer: Announcer

  constructor(counters: Counters, announcer: Announcer) {
    this.#counter = counters.counter('unreadable-secrets', DAY_S)
    this.#announcer = announcer
  }

  /** Never rejects: the request is refused in any case, and the cause is reported where it is. */
  async announce(userId: string, requestInfo: RequestInfo): Promise<void> {
    try {
      const { taken } = await this.#counter.take(userId, 1)
      if (taken) await this.#tell(userId, requestInfo)
    } catch {
      // Told at the next try.
    }
  }

  async #tell(userId: string, requestInfo: RequestInfo): Promise<void> {
    const event = { type: 'secret-unreadable', method: null } as const
    try {
      await this.#announcer.announce(userId, [event], requestInfo)
    } catch (error) {
      await this.#counter.giveBack(userId)
      throw error
    }
  }
}
