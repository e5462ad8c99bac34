import type { Subject } from '../domain/policy.js'
import type { UserPage, UserQuery, Users } from '../ports/users.js'
import { within } from '../ports/with-timeout.js'

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
  | { readonly kind: 'none' | 'other' }

export interface AccountsParts<U> {
  readonly users: Users<U>
  /** @throws ConfigurationError for a user that no host should have, such as one without an id */
  readonly describe: (user: U) => Account<U>
  /** The host's id of a user of the records, or null for one of another realm. */
  readonly hostIdOf: (recordId: string) => string | null
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

  /** The user of a record as the host has them now. @throws UnavailableError where it cannot say */
  async find(recordId: string): Promise<Account<U> | null> {
    const found = await this.lookUp(recordId)
    return found.kind === 'found' ? found.account : null
  }

  /**
   * The same, telling a user who is gone from an answer with somebody else. A store that takes "ANN"
   * for "ann" would let one user be asked for under many ids.
   */
  async lookUp(recordId: string): Promise<LookedUp<U>> {
    const { users, hostIdOf, describe } = this.#parts
    const hostId = hostIdOf(recordId)
    if (hostId === null) return { kind: 'none' }
    const user = await within(PART, () => users.findById(hostId))
    if (user === null || user === undefined || user === false) return { kind: 'none' }
    const account = describe(user)
    return account.id === recordId ? { kind: 'found', account } : { kind: 'other' }
  }

  /** A page of the host's own list; null for a cursor that it does not know, or without a list. */
  async list(
    query: UserQuery,
  ): Promise<{ readonly accounts: readonly Account<U>[]; readonly next: string | null } | null> {
    const { users } = this.#parts
    return within(PART, async () => {
      const given = (await users.list?.(query)) ?? null
      if (given === null) return null
      const { listed, next } = checked(given, query.limit)
      return { accounts: listed.map((user) => this.#listed(user)), next }
    })
  }

  /** A user without an id among a hundred is no reason to take the whole app for ill-made. */
  #listed(user: U): Account<U> {
    try {
      return this.#parts.describe(user)
    } catch (cause) {
      throw new Error('users.list answered nonsense', { cause })
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
