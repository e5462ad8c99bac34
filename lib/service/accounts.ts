import type { Subject } from '../domain/policy.js'
import type { UserPage, UserQuery, Users } from '../ports/users.js'
import { within } from '../ports/with-timeout.js'
import { type Glimpse, isOdd, type OddUser, oddUser } from './odd-user.js'

/** A user of the host's and what the host's `describe` says of them, asked once and carried on. */
export interface Account<U = unknown> {
  /** The host's own object. */
  readonly user: U
  /** In the records. */
  readonly id: string
  readonly email: string | null
  readonly name: string | null
  /** What the user signs in with beside id and e-mail, or null. */
  readonly username: string | null
  /** The language that the user chose, or null. */
  readonly locale: string | null
  /** What the rules ask about. */
  readonly subject: Subject
}

/** What came of looking for a user. `other`: the host answered with somebody else. */
export type LookedUp<U> =
  | { readonly kind: 'found'; readonly account: Account<U> }
  | { readonly kind: 'odd'; readonly odd: OddUser & { readonly id: string } }
  | { readonly kind: 'none' | 'other' }

/** A page of the host's own list. */
export interface AccountPage<U> {
  readonly accounts: readonly (Account<U> | OddUser)[]
  readonly next: string | null
}

export interface AccountsParts<U> {
  readonly users: Users<U>
  /** @throws ConfigurationError for a user that no host should have, such as one without an id */
  readonly describe: (user: U) => Account<U>
  /** What can be told of such a user; never throws */
  readonly glimpse: (user: U) => Glimpse
  /** The host's id of a user of the records, or null for one of another realm. */
  readonly hostIdOf: (recordId: string) => string | null
  /** Milliseconds that one call of the host's may take. */
  readonly timeout: number
}

/** What failures of the host's lookups are named after. */
const PART = 'the user store'

/** Finds the host's users, checks that it is they, and has each described once. */
export class Accounts<U> {
  readonly #parts: AccountsParts<U>

  constructor(parts: AccountsParts<U>) {
    this.#parts = parts
  }

  /** Whether the host can be searched by name. */
  get searchable(): boolean {
    return this.#parts.users.list !== undefined
  }

  /**
   * The user of a record as the host has them now.
   *
   * @throws UnavailableError where it cannot say; what `describe` throws, such as ConfigurationError
   */
  async find(recordId: string): Promise<Account<U> | null> {
    const found = await this.lookUp(recordId)
    if (found.kind === 'odd') throw found.odd.cause
    return found.kind === 'found' ? found.account : null
  }

  /**
   * The same, telling a user who is gone from one whom the app tells wrongly, and from an answer with
   * somebody else. A store that takes "ANN" for "ann" would let one user be asked for under many ids.
   *
   * @throws UnavailableError where it cannot say
   */
  async lookUp(recordId: string): Promise<LookedUp<U>> {
    const { users, hostIdOf, timeout } = this.#parts
    const hostId = hostIdOf(recordId)
    if (hostId === null) return { kind: 'none' }
    const user = await within(PART, () => users.findById(hostId), timeout)
    if (user === null || user === undefined || user === false) return { kind: 'none' }
    const told = this.#described(user)
    // Where not even the id can be read, it is whom the host was asked for.
    if ((told.id ?? recordId) !== recordId) return { kind: 'other' }
    return isOdd(told)
      ? { kind: 'odd', odd: { ...told, id: recordId } }
      : { kind: 'found', account: told }
  }

  /** A page of the host's own list; null for a cursor that it does not know, or without a list. */
  async list(query: UserQuery): Promise<AccountPage<U> | null> {
    const { users, timeout } = this.#parts
    const read = async () => {
      const given = (await users.list?.(query)) ?? null
      if (given === null) return null
      const { listed, next } = checked(given, query.limit)
      // `Array.from` reads what `map` passes over: a place that is empty.
      return { accounts: Array.from(listed, (user) => this.#described(user)), next }
    }
    return within(PART, read, timeout)
  }

  /** One user who is told wrongly among a hundred must not hide the others. */
  #described(user: U): Account<U> | OddUser {
    try {
      return this.#parts.describe(user)
    } catch (cause) {
      return oddUser(this.#parts.glimpse(user), cause)
    }
  }
}

function checked<U>(given: UserPage<U>, limit: number) {
  const { users: listed, next = null } = given
  if (!Array.isArray(listed) || !(next === null || typeof next === 'string')) {
    throw new Error('users.list answered nonsense: { users: […], next: a string or null } is asked')
  }
  if (listed.length > limit) throw new Error('users.list answered with too many users')
  return { listed: listed as readonly U[], next }
}
