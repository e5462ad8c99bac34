import { DAY_S } from '../domain/units.js'
import type { Counter, Counters } from '../ports/counters.js'

const LONGEST = 24 * DAY_S
const MANY = 1000

interface Kind {
  readonly name: string
  readonly aDay: number
}

/**
 * Events that somebody who knows the password, or has one code, can cause as often as the lock and
 * the limits allow. Mails of one kind say the same, so the owner needs only so many of them a day.
 */
const KINDS: Readonly<Record<string, Kind>> = {
  'authenticator-locked': { name: 'lock', aDay: 1 },
  'pending-login-used-up': { name: 'guesses', aDay: 1 },
  'wrong-code': { name: 'guesses', aDay: 1 },
  'weaker-method-used': { name: 'weaker-method-used', aDay: 1 },
  // To an admin, of changes by others.
  told: { name: 'told', aDay: 20 },
  // A whole set.
  'backup-code-used': { name: 'backup-code-used', aDay: 10 },
}

/**
 * Warnings by mail, only so many a day per user and kind, so that they do not fill the owner's
 * mailbox. The next mail of the same type says how many were held back.
 */
export class WarningMails {
  readonly #sent: Counter
  readonly #heldBack: Counter

  constructor(counters: Counters) {
    this.#sent = counters.counter('warning-mails', DAY_S)
    this.#heldBack = counters.counter('warning-mails-held-back', LONGEST)
  }

  /** @returns how many were held back since the last one; null where this one is held back */
  async due(type: string, userId: string): Promise<number | null> {
    const kind = KINDS[type]
    if (kind === undefined) return 0
    const { taken } = await this.#sent.take(placeOf(kind, userId), kind.aDay)
    const key = JSON.stringify([type, userId])
    const { left } = await this.#heldBack.take(key, MANY)
    if (!taken) return null
    const heldBack = MANY - left - 1
    for (let place = 0; place <= heldBack; place += 1) {
      await this.#heldBack.giveBack(key)
    }
    return heldBack
  }

  /**
   * The mail that was due did not go out: the next one is due at once, and tells of this one too.
   *
   * @param heldBack as `due` has said
   */
  async failed(type: string, userId: string, heldBack: number): Promise<void> {
    const kind = KINDS[type]
    if (kind === undefined) return
    await this.#sent.giveBack(placeOf(kind, userId))
    const key = JSON.stringify([type, userId])
    for (let place = 0; place <= heldBack; place += 1) {
      await this.#heldBack.take(key, MANY)
    }
  }
}

function placeOf({ name }: Kind, userId: string): string {
  return JSON.stringify([name, userId])
}
