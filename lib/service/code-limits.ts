import { DAY_S, MINUTE_S } from '../domain/units.js'
import type { Counter, Counters } from '../ports/counters.js'
import type { Announcer, RequestInfo } from './announcer.js'
import { type LimitRefusal, type Places, type TooMany, tooMany } from './places.js'
import type { Tally, Wanted } from './tally.js'

/** Set-ups, changes of key and new sets of backup codes together: each gives a set of codes. */
const SETS_PER_USER = 30
const LOOKS_PER_USER = 20
const NAMES_PER_USER = 20

const PENDING_LOGIN = { name: 'pending-login', seconds: 10 * MINUTE_S }
const CODES_OF_ADDRESS = { name: 'codes-of-address', seconds: 10 * MINUTE_S }
const SETS_OF_USER = { name: 'sets-of-codes-of-user', seconds: DAY_S }
const LOOKS_OF_USER = { name: 'shown-keys-of-user', seconds: DAY_S }
const NAMES_OF_USER = { name: 'names-of-user', seconds: DAY_S }
const ACTIONS_OF_USER: Readonly<Record<CountedAction, Pick<Wanted, 'counter' | 'limit'>>> = {
  'set-of-codes': { counter: SETS_OF_USER, limit: SETS_PER_USER },
  'show-key': { counter: LOOKS_OF_USER, limit: LOOKS_PER_USER },
  rename: { counter: NAMES_OF_USER, limit: NAMES_PER_USER },
}

/** Places of a code. */
export interface CodePlaces {
  readonly kind: 'taken'
  /** Gives both places back: it was no miss. Never rejects. */
  giveBack(): Promise<void>
  /** The code was right: its pending login is over, and nobody waits for the address's place. */
  giveBackAddressLater(): void
  /** Whether it is the last place of the pending login. */
  readonly last: boolean
  /** Places that the pending login has left; null in a session. */
  readonly left: number | null
  /** Reports a miss. The last one ends the pending login, which is announced. */
  missed(): Promise<void>
}

/** What a user can do again and again by the codes that it gives, or with one code after the other. */
export type CountedAction = 'set-of-codes' | 'show-key' | 'rename'

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
  readonly #tally: Tally
  readonly #pending: Counter

  constructor(parts: {
    counters: Counters
    tally: Tally
    announcer: Announcer
  }) {
    const { counters } = parts
    this.#announcer = parts.announcer
    this.#tally = parts.tally
    this.#pending = counters.counter(PENDING_LOGIN.name, PENDING_LOGIN.seconds)
  }

  /** Takes a place of the pending login and one of the address, in one call. */
  async takeForCode(attempt: CodeAttempt): Promise<CodePlaces | LimitRefusal> {
    const { pendingId, ipKey, ipLimit, policy } = attempt
    const ofPending = { counter: PENDING_LOGIN, key: pendingId, limit: policy.codeAttempts }
    const ofAddress = { counter: CODES_OF_ADDRESS, key: ipKey, limit: ipLimit }
    const taken = await this.#tally.takeAll([ofPending, ofAddress])
    if (taken.kind === 'refused') {
      const [pendingLogin = 0, address = 0] = taken.retryAfter
      return pendingLogin > 0 ? { kind: 'sign-in-again' } : tooMany(address)
    }
    const left = taken.left[0] ?? 0
    return {
      kind: 'taken',
      giveBack: () => this.#tally.giveBack([ofPending, ofAddress]),
      giveBackAddressLater: () => this.#tally.giveBackLater([ofAddress]),
      missed: () => this.#missed(attempt, left),
      left: pendingId === null ? null : left,
      last: left <= 0,
    }
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
    const ofAddress = { counter: CODES_OF_ADDRESS, key: ipKey, limit: ipLimit }
    const ofUser = { counter: SETS_OF_USER, key: userId, limit: SETS_PER_USER }
    const taken = await this.#tally.takeAll([ofUser, ofAddress])
    if (taken.kind === 'refused') {
      const [user = 0, address = 0] = taken.retryAfter
      return user > 0 ? { ...tooMany(user), enoughToday: true } : tooMany(address)
    }
    const given = { all: [ofUser, ofAddress], address: [ofAddress], user: [ofUser] }
    return { kind: 'taken', giveBack: (which) => this.#tally.giveBack(given[which]) }
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
    const place = { ...ACTIONS_OF_USER[action], key: userId }
    const taken = await this.#tally.takeAll([place])
    if (taken.kind === 'refused')
      return { ...tooMany(taken.wait), enoughToday: true, blockedUntil: null }
    let done = false
    try {
      const answer = await run()
      done = answer.kind === 'accepted'
      return answer
    } finally {
      if (!done) void this.#tally.giveBack([place])
    }
  }
}
