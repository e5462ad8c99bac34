import { DAY_S, MINUTE_S } from '../domain/units.js'
import type { Counter, Counters } from '../ports/counters.js'
import type { Announcer, RequestInfo } from './announcer.js'
import {
  giveBackTo,
  type LimitRefusal,
  type Places,
  type TooMany,
  take,
  tooMany,
} from './places.js'

/** Set-ups, changes of key and new sets of backup codes together: each gives a set of codes. */
const SETS_PER_USER = 30
const LOOKS_PER_USER = 20

/** Places of a code. */
export interface CodePlaces extends Places {
  /** Whether it is the last place of the pending login. */
  readonly last: boolean
  /** Places that the pending login has left; null in a session. */
  readonly left: number | null
  /** Reports a miss. The last one ends the pending login, which is announced. */
  missed(): Promise<void>
}

/** What a user can do again and again by the codes that it gives, or with one code after the other. */
export type CountedAction = 'set-of-codes' | 'show-key'

/** An action that was done often enough for a day. It is not the authenticator that is blocked. */
type TooOften = TooMany & { readonly blockedUntil: null }

interface CodeAttempt {
  readonly userId: string
  readonly pendingId: string | null
  readonly ipKey: string | null
  readonly ipLimit: number
  readonly policy: { readonly codeAttempts: number }
  readonly requestInfo: RequestInfo
}

/** The limits of codes, and of what codes are given for. Their counts may be lost. */
export class CodeLimits {
  readonly #announcer: Announcer
  readonly #pending: Counter
  readonly #codesOfAddress: Counter
  readonly #setsOfUser: Counter
  readonly #actionsOfUser: Readonly<Record<CountedAction, readonly [Counter, number]>>

  constructor(counters: Counters, announcer: Announcer) {
    this.#announcer = announcer
    this.#pending = counters.counter('pending-login', 10 * MINUTE_S)
    this.#codesOfAddress = counters.counter('codes-of-address', 10 * MINUTE_S)
    this.#setsOfUser = counters.counter('sets-of-codes-of-user', DAY_S)
    this.#actionsOfUser = {
      'set-of-codes': [this.#setsOfUser, SETS_PER_USER],
      'show-key': [counters.counter('shown-keys-of-user', DAY_S), LOOKS_PER_USER],
    }
  }

  /** Takes a place of the pending login and one of the address, in one round trip. */
  async takeForCode(attempt: CodeAttempt): Promise<CodePlaces | LimitRefusal> {
    const { pendingId, ipKey, ipLimit, policy } = attempt
    const [pending, address] = await Promise.all([
      take(this.#pending, pendingId, policy.codeAttempts),
      take(this.#codesOfAddress, ipKey, ipLimit),
    ])
    const giveBack: Places['giveBack'] = async (which) => {
      await Promise.all([
        which === 'all' ? giveBackTo(this.#pending, pendingId) : null,
        giveBackTo(this.#codesOfAddress, ipKey),
      ])
    }
    if (!pending.taken) {
      await giveBackTo(this.#codesOfAddress, ipKey)
      return { kind: 'sign-in-again' }
    }
    if (!address.taken) {
      await giveBackTo(this.#pending, pendingId)
      return tooMany(address.retryAfter)
    }
    const missed = () => this.#missed(attempt, pending.left)
    const left = pendingId === null ? null : pending.left
    return { kind: 'taken', giveBack, missed, left, last: pending.left <= 0 }
  }

  /** Wrong codes that a pending login may still have. Takes no place. */
  async triesLeft(pendingId: string, { codeAttempts }: CodeAttempt['policy']): Promise<number> {
    const taken = await this.#pending.taken(pendingId)
    return Math.max(0, codeAttempts - taken)
  }

  async #missed({ userId, requestInfo }: CodeAttempt, left: number): Promise<void> {
    if (left > 0) return
    await this.#announcer.announce(
      userId,
      [{ type: 'pending-login-used-up', method: null }],
      requestInfo,
    )
  }

  /**
   * Takes a place of the address for a code that confirms a set-up, and one of the user's thirty
   * sets of codes a day. Otherwise somebody who has only the password could set up and turn off without
   * end, each time with a mail, and push older changes out of the log.
   */
  async takeForSetup(
    userId: string,
    ipKey: string | null,
    ipLimit: number,
  ): Promise<Places | LimitRefusal> {
    const [address, user] = await Promise.all([
      take(this.#codesOfAddress, ipKey, ipLimit),
      take(this.#setsOfUser, userId, SETS_PER_USER),
    ])
    const toAddress = () => giveBackTo(this.#codesOfAddress, ipKey)
    const toUser = () => giveBackTo(this.#setsOfUser, userId)
    if (!user.taken) {
      if (address.taken) await toAddress()
      return { ...tooMany(user.retryAfter), enoughToday: true }
    }
    if (!address.taken) {
      await toUser()
      return tooMany(address.retryAfter)
    }
    const giveBack: Places['giveBack'] = async (which) => {
      await Promise.all([
        which === 'address' ? null : toUser(),
        which === 'user' ? null : toAddress(),
      ])
    }
    return { kind: 'taken', giveBack }
  }

  /**
   * Runs an action of the user's that has a limit of its own for the day. One backup code buys ten new
   * ones: without a limit, whoever has the password and one code could send mails without end, and push
   * older changes out of the log. Only what was done counts.
   */
  async countAction<Answer extends { readonly kind: string }>(
    action: CountedAction,
    userId: string,
    run: () => Promise<Answer>,
  ): Promise<Answer | TooOften> {
    const [counter, limit] = this.#actionsOfUser[action]
    const { taken, retryAfter } = await take(counter, userId, limit)
    if (!taken) return { ...tooMany(retryAfter), enoughToday: true, blockedUntil: null }
    let done = false
    try {
      const answer = await run()
      done = answer.kind === 'accepted'
      return answer
    } finally {
      if (!done) void giveBackTo(counter, userId)
    }
  }
}
