import { countedName, isPlainName } from '../domain/counted-name.js'
import { MINUTE_S } from '../domain/units.js'
import type { Counter, Counters } from '../ports/counters.js'
import { giveBackTo, type TooMany, take, tooMany } from './places.js'

const PASSWORDS_PER_ADDRESS = 100
/** As many times the tries of one account; wide enough for an office whose names are not in ASCII. */
const ACCOUNTS_IN_OTHER_LETTERS = 3

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

/** The limits of the password step. Their counts may be lost. */
export class PasswordLimits {
  readonly #ofAccount: Counter
  readonly #inOtherLetters: Counter
  readonly #ofAddress: Counter

  constructor(counters: Counters) {
    this.#ofAccount = counters.counter('passwords-of-account', 15 * MINUTE_S)
    this.#inOtherLetters = counters.counter('passwords-in-other-letters', 15 * MINUTE_S)
    this.#ofAddress = counters.counter('passwords-of-address', 15 * MINUTE_S)
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
  }): Promise<PasswordPlaces | TooMany> {
    const { ipKey, passwordAttempts } = attempt
    // First, and alone: a full address must not create counts for more and more accounts.
    const ofAddress = await take(this.#ofAddress, ipKey, PASSWORDS_PER_ADDRESS)
    if (!ofAddress.taken) return tooMany(ofAddress.retryAfter)
    const places = await Promise.all([
      ...[...namesByCount(attempt.names)].map(([account, typed]) => {
        const key = JSON.stringify([account, ipKey])
        return placeFor(typed, this.#ofAccount, key, passwordAttempts)
      }),
      ...inOtherLetters(attempt.names).map((typed) => {
        const limit = passwordAttempts * ACCOUNTS_IN_OTHER_LETTERS
        return placeFor(typed, this.#inOtherLetters, ipKey, limit)
      }),
    ])
    const giveBack = (given: typeof places) =>
      given.map(({ counter, key }) => giveBackTo(counter, key))
    if (places.every(({ taken }) => taken)) {
      const forgive: PasswordPlaces['forgive'] = (names) => {
        const own = places.filter(({ typed }) => typed.every((name) => names.includes(name)))
        giveBack(own)
        const alone = own.length > 0 && own.length === places.length
        if (alone) void giveBackTo(this.#ofAddress, ipKey)
        return own.length > 0
      }
      return { kind: 'taken', forgive }
    }
    await Promise.all([
      giveBackTo(this.#ofAddress, ipKey),
      ...giveBack(places.filter(({ taken }) => taken)),
    ])
    return tooMany(Math.max(...places.map(({ retryAfter }) => retryAfter)))
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
