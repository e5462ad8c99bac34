import { countedName, isPlainName } from '../domain/counted-name.js'
import { DAY_S, MINUTE_S } from '../domain/units.js'
import type { Counter, Counters } from '../ports/counters.js'
import type { Announcer, RequestInfo } from './announcer.js'

const PASSWORDS_PER_ADDRESS = 100
/** As many times the tries of one account; wide enough for an office whose names are not in ASCII. */
const ACCOUNTS_IN_OTHER_LETTERS = 3
const CHANGES_PER_ADMIN = 60
const REFUSALS_PER_ADMIN = 20
const SETUPS_PER_USER = 50
/** Of each kind: new sets of backup codes, and looks at the key. */
const ACTIONS_PER_USER = 20

/** The places that an attempt took. Give them back if it was no miss. */
export interface Places {
  readonly kind: 'taken'
  /** If a place cannot be given back, it is lost, which harms nobody. Never rejects. */
  giveBack(which: 'all' | 'address' | 'user'): Promise<void>
}

/** Places of a password. */
export interface PasswordPlaces {
  readonly kind: 'taken'
  /**
   * Call it after the sign-in of a user who has these names: gives back the places that this attempt
   * took for exactly these names, and the address's place if no other name was tried. A place that
   * another spelling shares is not given back, because that may be the name of another user. A sign-in
   * must not pay for guesses at other accounts. Never rejects.
   *
   * @returns whether anything was given back
   */
  forgive(names: readonly string[]): boolean
}

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
export type CountedAction = 'backup-codes' | 'show-key'

/** Another attempt is refused for so many seconds. */
interface TooMany {
  readonly kind: 'too-many-attempts'
  readonly retryAfter: number
}

/** An action that was done often enough for a day. It is not the authenticator that is blocked. */
type TooOften = TooMany & { readonly blockedUntil: null }

/** The reason why an attempt is refused unseen. */
export type LimitRefusal = { readonly kind: 'sign-in-again' } | TooMany

interface CodeLimits {
  readonly userId: string
  readonly pendingId: string | null
  readonly ipKey: string | null
  readonly ipLimit: number
  readonly policy: { readonly codeAttempts: number }
  readonly requestInfo: RequestInfo
}

const UNLIMITED = { taken: true, left: Number.POSITIVE_INFINITY, retryAfter: 0 } as const

/** The limits whose counts may be lost: per pending login, per address, per password step. */
export class Limits {
  readonly #announcer: Announcer
  readonly #pending: Counter
  readonly #codesOfAddress: Counter
  readonly #passwordsOfAccount: Counter
  readonly #passwordsInOtherLetters: Counter
  readonly #passwordsOfAddress: Counter
  readonly #changesOfAdmin: Counter
  readonly #refusalsOfAdmin: Counter
  readonly #setupsOfUser: Counter
  readonly #actionsOfUser: Readonly<Record<CountedAction, Counter>>

  constructor(counters: Counters, announcer: Announcer) {
    this.#announcer = announcer
    this.#pending = counters.counter('pending-login', 10 * MINUTE_S)
    this.#codesOfAddress = counters.counter('codes-of-address', 10 * MINUTE_S)
    this.#passwordsOfAccount = counters.counter('passwords-of-account', 15 * MINUTE_S)
    this.#passwordsInOtherLetters = counters.counter('passwords-in-other-letters', 15 * MINUTE_S)
    this.#passwordsOfAddress = counters.counter('passwords-of-address', 15 * MINUTE_S)
    this.#changesOfAdmin = counters.counter('changes-of-admin', 10 * MINUTE_S)
    this.#refusalsOfAdmin = counters.counter('refusals-of-admin', 60 * MINUTE_S)
    this.#setupsOfUser = counters.counter('setups-of-user', DAY_S)
    this.#actionsOfUser = {
      'backup-codes': counters.counter('backup-codes-of-user', DAY_S),
      'show-key': counters.counter('shown-keys-of-user', DAY_S),
    }
  }

  /** Takes a place of the pending login and one of the address, in one round trip. */
  async takeForCode(limits: CodeLimits): Promise<CodePlaces | LimitRefusal> {
    const { pendingId, ipKey, ipLimit, policy } = limits
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
    const missed = () => this.#missed(limits, pending.left)
    const left = pendingId === null ? null : pending.left
    return { kind: 'taken', giveBack, missed, left, last: pending.left <= 0 }
  }

  /** Wrong codes that a pending login may still have. Takes no place. */
  async triesLeft(pendingId: string, { codeAttempts }: CodeLimits['policy']): Promise<number> {
    const taken = await this.#pending.taken(pendingId)
    return Math.max(0, codeAttempts - taken)
  }

  async #missed({ userId, requestInfo }: CodeLimits, left: number): Promise<void> {
    if (left > 0) return
    await this.#announcer.announce(
      userId,
      [{ type: 'pending-login-used-up', method: null }],
      requestInfo,
    )
  }

  /**
   * Takes a place of the address for a code that confirms a set-up, and one of the user's fifty
   * set-ups a day. Otherwise somebody who has only the password could set up and turn off without
   * end, each time with a mail, and push older changes out of the log.
   */
  async takeForSetup(
    userId: string,
    ipKey: string | null,
    ipLimit: number,
  ): Promise<Places | LimitRefusal> {
    const [address, user] = await Promise.all([
      take(this.#codesOfAddress, ipKey, ipLimit),
      take(this.#setupsOfUser, userId, SETUPS_PER_USER),
    ])
    const toAddress = () => giveBackTo(this.#codesOfAddress, ipKey)
    const toUser = () => giveBackTo(this.#setupsOfUser, userId)
    if (!user.taken) {
      if (address.taken) await toAddress()
      return tooMany(user.retryAfter)
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
    const counter = this.#actionsOfUser[action]
    const { taken, retryAfter } = await take(counter, userId, ACTIONS_PER_USER)
    if (!taken) return { ...tooMany(retryAfter), blockedUntil: null }
    let done = false
    try {
      const answer = await run()
      done = answer.kind === 'accepted'
      return answer
    } finally {
      if (!done) void giveBackTo(counter, userId)
    }
  }

  /**
   * Takes a place for a password, per account and address together. A limit per account alone would
   * let a stranger lock the account (promise 4). Names that are not in ASCII also share one count per
   * address, because which of them a database takes for one another depends on its language.
   */
  async takeForPassword(attempt: {
    /**
     * Every possible name of the account, exactly as typed. Each is counted, so that none hides another.
     * Names that a database may take for one another are counted as one.
     */
    names: readonly string[]
    ipKey: string
    passwordAttempts: number
  }): Promise<PasswordPlaces | LimitRefusal> {
    const { ipKey, passwordAttempts } = attempt
    // First, and alone: a full address must not create counts for more and more accounts.
    const ofAddress = await take(this.#passwordsOfAddress, ipKey, PASSWORDS_PER_ADDRESS)
    if (!ofAddress.taken) return tooMany(ofAddress.retryAfter)
    const places = await Promise.all([
      ...[...namesByCount(attempt.names)].map(([account, typed]) => {
        const key = JSON.stringify([account, ipKey])
        return placeFor(typed, this.#passwordsOfAccount, key, passwordAttempts)
      }),
      ...inOtherLetters(attempt.names).map((typed) => {
        const limit = passwordAttempts * ACCOUNTS_IN_OTHER_LETTERS
        return placeFor(typed, this.#passwordsInOtherLetters, ipKey, limit)
      }),
    ])
    const giveBack = (given: typeof places) =>
      given.map(({ counter, key }) => giveBackTo(counter, key))
    if (places.every(({ taken }) => taken)) {
      const forgive: PasswordPlaces['forgive'] = (names) => {
        const own = places.filter(({ typed }) => typed.every((name) => names.includes(name)))
        giveBack(own)
        const alone = own.length > 0 && own.length === places.length
        if (alone) void giveBackTo(this.#passwordsOfAddress, ipKey)
        return own.length > 0
      }
      return { kind: 'taken', forgive }
    }
    await Promise.all([
      giveBackTo(this.#passwordsOfAddress, ipKey),
      ...giveBack(places.filter(({ taken }) => taken)),
    ])
    return tooMany(Math.max(...places.map(({ retryAfter }) => retryAfter)))
  }

  /** Whether to log another refused change of an admin: twenty an hour are enough. */
  async takeForRefusal(actorId: string): Promise<boolean> {
    return (await take(this.#refusalsOfAdmin, actorId, REFUSALS_PER_ADMIN)).taken
  }

  /**
   * Takes a place for an admin's change: 60 in 10 minutes, so that a stolen session cannot lift the
   * second step of everybody at once. The first refusal of a window is announced.
   */
  async takeForChange(actorId: string, requestInfo: RequestInfo): Promise<Places | LimitRefusal> {
    // One place more than allowed: the request that takes it is the first to be refused.
    const limit = CHANGES_PER_ADMIN + 1
    const place = await take(this.#changesOfAdmin, actorId, limit)
    if (place.taken && place.left > 0) {
      return { kind: 'taken', giveBack: () => giveBackTo(this.#changesOfAdmin, actorId) }
    }
    if (!place.taken) return tooMany(place.retryAfter)
    await this.#announcer.announce(null, [{ type: 'too-many-changes', method: null }], requestInfo)
    return tooMany((await take(this.#changesOfAdmin, actorId, limit)).retryAfter)
  }
}

function namesByCount(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const byCount = new Map<string, readonly string[]>()
  for (const name of names) {
    const counted = countedName(name)
    byCount.set(counted, [...(byCount.get(counted) ?? []), name])
  }
  return byCount
}

/** One list of the names that are not in ASCII; none if there are no such names. */
function inOtherLetters(names: readonly string[]): ReadonlyArray<readonly string[]> {
  const others = names.filter((name) => !isPlainName(name))
  return others.length === 0 ? [] : [others]
}

async function placeFor(typed: readonly string[], counter: Counter, key: string, limit: number) {
  return { typed, counter, key, ...(await take(counter, key, limit)) }
}

function take(counter: Counter, key: string | null, limit: number) {
  if (key === null || limit === Number.POSITIVE_INFINITY) return Promise.resolve(UNLIMITED)
  return counter.take(key, limit)
}

async function giveBackTo(counter: Counter, key: string | null): Promise<void> {
  if (key === null) return
  await counter.giveBack(key).catch(() => undefined)
}

function tooMany(milliseconds: number): TooMany {
  return { kind: 'too-many-attempts', retryAfter: Math.max(1, Math.ceil(milliseconds / 1000)) }
}
