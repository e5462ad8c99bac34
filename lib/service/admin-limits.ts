import type { UserAction } from '../domain/admin-actions.js'
import { DAY_S, MINUTE_S } from '../domain/units.js'
import type { Counter, Counters } from '../ports/counters.js'
import type { Announcer, RequestInfo } from './announcer.js'
import { type Places, type TooMany, tooMany } from './places.js'

const CHANGES_PER_ADMIN = 60
const REFUSALS_PER_ADMIN = 20
const SAME_CHANGES_A_DAY = 30

/** The limits of what admins do. Their counts may be lost. */
export class AdminLimits {
  readonly #announcer: Announcer
  readonly #changes: Counter
  readonly #refusals: Counter
  readonly #sameChanges: Counter

  constructor(counters: Counters, announcer: Announcer) {
    this.#announcer = announcer
    this.#changes = counters.counter('changes-of-admin', 10 * MINUTE_S)
    this.#refusals = counters.counter('refusals-of-admin', 60 * MINUTE_S)
    this.#sameChanges = counters.counter('same-changes-of-admin', DAY_S)
  }

  /** Whether to log another refused change of an admin: twenty an hour are enough. */
  async takeForRefusal(actorId: string): Promise<boolean> {
    return (await this.#refusals.take(actorId, REFUSALS_PER_ADMIN)).taken
  }

  /**
   * Takes a place for an admin's change: 60 in 10 minutes, so that a stolen session cannot lift the
   * second step of everybody at once. The first refusal of a window is announced.
   */
  async takeForChange(actorId: string, requestInfo: RequestInfo): Promise<Places | TooMany> {
    // One place more than allowed: the request that takes it is the first to be refused.
    const limit = CHANGES_PER_ADMIN + 1
    const place = await this.#changes.take(actorId, limit)
    if (place.taken && place.left > 0) {
      return {
        kind: 'taken',
        giveBack: () => this.#changes.giveBack(actorId).catch(() => undefined),
      }
    }
    if (!place.taken) return tooMany(place.retryAfter)
    await this.#announcer.announce(null, [{ type: 'too-many-changes', method: null }], requestInfo)
    return tooMany((await this.#changes.take(actorId, limit)).retryAfter)
  }
  /**
   * Takes a place for one action of an admin on one user: thirty a day, each of which has a mail and an entry in
   * the user's log. More could push what the admin did before out of it. A user is reminded once a day, by whomever.
   */
  async takeForSame(
    actorId: string,
    userId: string,
    action: UserAction,
  ): Promise<Places | TooMany> {
    const isReminder = action === 'remind'
    const key = JSON.stringify(isReminder ? [userId, action] : [actorId, userId, action])
    const limit = isReminder ? 1 : SAME_CHANGES_A_DAY
    const { taken, retryAfter } = await this.#sameChanges.take(key, limit)
    if (!taken) return tooMany(retryAfter)
    return {
      kind: 'taken',
      giveBack: () => this.#sameChanges.giveBack(key).catch(() => undefined),
    }
  }
}
