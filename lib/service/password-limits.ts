import { countedName, isPlainName, numberBefore } from '../domain/counted-name.js'
import { defaultPolicy } from '../domain/policy.js'
import { MINUTE_S } from '../domain/units.js'
import { type TooMany, tooMany } from './places.js'
import type { CounterName, Taken, Tally, Wanted } from './tally.js'
import { countedInTime } from './timed-counters.js'

const PER_ADDRESS = 100
/** As many times the tries of one account; wide enough for an office whose names are not in ASCII. */
const ACCOUNTS_IN_OTHER_LETTERS = 3
/** Likewise, for those whose names begin with one number. */
const ACCOUNTS_BEHIND_A_NUMBER = 3
/** In characters of all names together: an address has at most 254. */
const COMPARED_AT_ONCE = 260

const OF_ACCOUNT = { name: 'passwords-of-account', seconds: 15 * MINUTE_S }
const IN_OTHER_LETTERS = { name: 'passwords-in-other-letters', seconds: 15 * MINUTE_S }
const BEHIND_A_NUMBER = { name: 'passwords-behind-a-number', seconds: 15 * MINUTE_S }
const OF_ADDRESS = { name: 'passwords-of-address', seconds: 15 * MINUTE_S }

/** Places of a password. */
export interface PasswordPlaces {
  readonly kind: 'taken'
  /**
   * Call it after the sign-in of a user who has these names: gives back the places that this attempt
   * took for exactly these names, and the address's place if no other name was tried. A place that
   * another spelling shares is not given back, because that may be the name of another user. A sign-in
   * must not pay for guesses at other accounts. Never rejects.
   *
   * @param tried all names under which this password was counted, by other limits too
   * @returns whether the place of a name was given back
   */
  forgive(names: readonly string[], tried: readonly string[]): boolean
}

/** A password that is about to be tried. */
interface PasswordAttempt {
  /**
   * Every possible name of the account, exactly as typed. Each is counted, so that none hides another.
   * Names that a database may take for one another are counted as one.
   */
  names: readonly string[]
  ipKey: string
  /** Whether the address has its place already: another limit has counted this password under other names. */
  again?: boolean
  /** Reads how many tries the policy allows. The places are taken meanwhile. */
  passwordAttempts: () => Promise<number>
}

/** A place of names, whose limit is so many times the tries of one account. */
interface NamesPlace {
  readonly typed: readonly string[]
  readonly counter: CounterName
  readonly key: string
  readonly accounts: number
}

/** The limits of the password step. Their counts may be lost. */
export class PasswordLimits {
  readonly #tally: Tally
  /** As the policy was read last. */
  #attempts = defaultPolicy.passwordAttempts

  constructor(tally: Tally) {
    this.#tally = tally
  }

  /**
   * Takes a place for a password, per account and address together. A limit per account alone would
   * let a stranger lock the account (promise 4). Names that are not in ASCII also share one count per
   * address, because which of them a database takes for one another depends on its language. So do names
   * that begin with the same number and go on: MySQL takes `42abc` for 42 in a column of numbers.
   */
  async takeForPassword(attempt: PasswordAttempt): Promise<PasswordPlaces | TooMany> {
    const taking = this.#takeAll(attempt)
    try {
      return await countedInTime(taking, this.#tally.timeout)
    } catch (error) {
      // Taken too late: the password is not tried.
      void taking.then(
        (late) => (late.kind === 'taken' ? late.giveBack() : undefined),
        () => undefined,
      )
      throw error
    }
  }

  async #takeAll(
    attempt: PasswordAttempt,
  ): Promise<(PasswordPlaces & { giveBack(): Promise<void> }) | TooMany> {
    const { names, ipKey, again = false } = attempt
    // First where places are taken one by one: a full address must not create counts for more and more accounts.
    const address = { counter: OF_ADDRESS, key: ipKey, limit: PER_ADDRESS, first: true }
    const isLong = areLong(names)
    const ofAddress = again ? [] : [address]
    const [ahead, beside] = isLong ? [ofAddress, []] : [[], ofAddress]
    if (ahead.length > 0) {
      const first = await this.#tally.takeAll(ahead)
      if (first.kind === 'refused') return tooMany(first.wait)
    }

    const places = placesOf(names, ipKey)
    const wanted = (tries: number) => [
      ...beside,
      ...places.map((place) => ({ ...place, limit: tries * place.accounts })),
    ]
    const taken = await this.#take(wanted, attempt.passwordAttempts).catch((error: unknown) => {
      this.#tally.giveBackLater(ahead)
      throw error
    })
    if (taken.kind === 'refused') {
      this.#tally.giveBackLater(ahead)
      return tooMany(taken.wait)
    }
    const forgive: PasswordPlaces['forgive'] = (own, tried) =>
      this.#forgive(own, tried, places, ofAddress)
    const all = [...places.map((place) => ({ ...place, limit: 1 })), ...ofAddress]
    return { kind: 'taken', forgive, giveBack: () => this.#tally.giveBack(all) }
  }

  /** By the limit that was known last, while it is read anew. If it has changed, once more by the new one. */
  async #take(
    wanted: (tries: number) => readonly Wanted[],
    passwordAttempts: () => Promise<number>,
  ): Promise<Taken> {
    const assumed = wanted(this.#attempts)
    const before = this.#attempts
    const [read, taken] = await Promise.allSettled([
      passwordAttempts(),
      this.#tally.takeAll(assumed),
    ])
    if (taken.status === 'rejected') throw taken.reason
    const isRight = read.status === 'fulfilled' && read.value === before
    if (isRight) return taken.value
    // With the call that follows: counters that fall silent are waited for once.
    if (taken.value.kind === 'taken') this.#tally.giveBackLater(assumed)
    if (read.status === 'rejected') throw read.reason
    this.#attempts = read.value
    return this.#tally.takeAll(wanted(read.value))
  }

  #forgive(
    names: readonly string[],
    tried: readonly string[],
    places: readonly NamesPlace[],
    ofAddress: readonly Wanted[],
  ): boolean {
    const areOwn = (typed: readonly string[]) => typed.every((name) => names.includes(name))
    const own = places.filter(({ typed }) => areOwn(typed))
    const alone = tried.length > 0 && areOwn(tried)
    const given = own.map((place) => ({ ...place, limit: 1 }))
    this.#tally.giveBackLater(alone ? [...given, ...ofAddress] : given)
    return own.length > 0
  }
}

/** Somebody whose address is full must not make others wait with names that take long to compare. */
function areLong(names: readonly string[]): boolean {
  return names.reduce((length, name) => length + name.length, 0) > COMPARED_AT_ONCE
}

function placesOf(names: readonly string[], ipKey: string): readonly NamesPlace[] {
  const ofAccounts = [...namesBy(countedName, names)].map(([account, typed]) => {
    return { typed, counter: OF_ACCOUNT, key: JSON.stringify([account, ipKey]), accounts: 1 }
  })
  const behindNumbers = [...namesBy(numberBefore, names)].map(([number, typed]) => {
    const key = JSON.stringify([number, ipKey])
    return { typed, counter: BEHIND_A_NUMBER, key, accounts: ACCOUNTS_BEHIND_A_NUMBER }
  })
  const inOthers = inOtherLetters(names).map((typed) => {
    return { typed, counter: IN_OTHER_LETTERS, key: ipKey, accounts: ACCOUNTS_IN_OTHER_LETTERS }
  })
  return [...ofAccounts, ...behindNumbers, ...inOthers]
}

/** The names that are counted together, by what they are counted under. Null: not at all. */
function namesBy(
  countedUnder: (name: string) => string | null,
  names: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const byCount = new Map<string, readonly string[]>()
  for (const name of names) {
    const counted = countedUnder(name)
    if (counted !== null) byCount.set(counted, [...(byCount.get(counted) ?? []), name])
  }
  return byCount
}

/** One list of the names that are not in ASCII; none if there are no such names. */
function inOtherLetters(names: readonly string[]): ReadonlyArray<readonly string[]> {
  const others = names.filter((name) => !isPlainName(name))
  return others.length === 0 ? [] : [others]
}
