import { MAIL_WINDOWS } from '../domain/mail-allowance.js'
import { DAY_S, MINUTE_S } from '../domain/units.js'
import type { Counter, Counters } from '../ports/counters.js'

const ASKS_OF_A_LOGIN = 20
const OPENINGS_OF_A_LINK = 10
// A user's log has room for 100 attempts: wrong codes of some days must stay in it.
const REFUSALS_OF_A_DAY = 10

/** The places that a mail took. */
export interface MailPlaces {
  /** Gives them back for a mail that is not sent after all. Never rejects. */
  giveBack(): Promise<void>
}

/** How often a reset by mail may be asked for, mailed and opened. */
export class MailLimits {
  readonly #asks: Counter
  readonly #openings: Counter
  readonly #refusals: Counter
  /**
   * The shortest window first: of many parallel requests one passes it, and only that one takes
   * places of the others.
   */
  readonly #mails: readonly { readonly counter: Counter; readonly limit: number }[]

  constructor(counters: Counters) {
    this.#asks = counters.counter('lost-of-pending-login', 10 * MINUTE_S)
    this.#openings = counters.counter('openings-of-mail-reset', DAY_S)
    this.#refusals = counters.counter('refused-mail-resets', DAY_S)
    this.#mails = Object.entries(MAIL_WINDOWS).map(([name, { lasts, limit }]) => ({
      counter: counters.counter(name, lasts / 1000),
      limit,
    }))
  }

  /** Whether a pending login may ask once more, because each request starts work. */
  async mayAsk(pendingId: string): Promise<boolean> {
    const { taken } = await this.#asks.take(pendingId, ASKS_OF_A_LOGIN)
    return taken
  }

  /** Whether an opening of this reset's link is still worth an entry in the audit log. */
  async mayTellOpening(resetId: string): Promise<boolean> {
    const { taken } = await this.#openings.take(resetId, OPENINGS_OF_A_LINK)
    return taken
  }

  /** Whether a refused request for a mail is still worth an entry: a guesser must not wash their traces away. */
  async mayTellRefusal(userId: string): Promise<boolean> {
    const { taken } = await this.#refusals.take(userId, REFUSALS_OF_A_DAY)
    return taken
  }

  /**
   * Places for one mail to this user. Null if there were too many mails; then no place is taken.
   */
  async takeForMail(userId: string): Promise<MailPlaces | null> {
    const taken: Counter[] = []
    const giveBack = async () => {
      await Promise.all(taken.map((counter) => giveBackTo(counter, userId)))
    }
    for (const { counter, limit } of this.#mails) {
      const place = await counter.take(userId, limit).catch(async (error: unknown) => {
        await giveBack()
        throw error
      })
      if (!place.taken) {
        await giveBack()
        return null
      }
      taken.push(counter)
    }
    return { giveBack }
  }
}

async function giveBackTo(counter: Counter, key: string): Promise<void> {
  await counter.giveBack(key).catch(() => undefined)
}
