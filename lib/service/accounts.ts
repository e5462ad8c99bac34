import type { Subject } from '../domain/policy.js'
import type { UserPage, UserQuery, Users } from '../ports/users.js'
import { withTimeout } from '../ports/with-timeout.js'
import { type Glimpse, isOdd, type OddUser, oddUser } from './odd-user.js'

/** A user of the host, with the result of `describe`, which is called once and passed on. */
export interface Account<U = unknown> {
  /** The host's own object. */
  readonly user: U
  /** In the records. */
  readonly id: string
  readonly email: string | null
  readonly name: string | null
  /** The name that the user signs in with, besides id and e-mail, or null. */
  readonly username: string | null
  /** The language that the user chose, or null. */
  readonly locale: string | null
  /** The facts that the policy's rules depend on. */
  readonly subject: Subject
  /** Whether the host tells roles of this user, be it an empty list. */
  readonly tellsRoles: boolean
  /** One of the `helpDeskRoles`, and no admin. Default: false. */
  readonly helpDesk?: boolean
}

/** The outcome of looking up a user. `other`: the host answered with another user, of this id. */
export type LookedUp<U> =
  | { readonly kind: 'found'; readonly account: Account<U> }
  | { readonly kind: 'odd'; readonly odd: OddUser & { readonly id: string } }
  | { readonly kind: 'none' }
  | { readonly kind: 'other'; readonly id: string }

/** A page of the host's own list. */
export interface AccountPage<U> {
  readonly accounts: readonly (Account<U> | OddUser)[]
  readonly next: string | null
}

export interface AccountsParts<U> {
  readonly users: Users<U>
  /** @throws ConfigurationError for a user that no host should have, such as one without an id */
  readonly describe: (user: U) => Account<U>
  /** Describes such a user as far as possible. Never throws. */
  readonly glimpse: (user: U) => Glimpse
  /** The host's id of a user of the records, or null for one of another realm. */
  readonly hostIdOf: (recordId: string) => string | null
  /** Milliseconds that one call of the host's may take. */
  readonly timeout: number
}

/** The name of the host's look-ups in errors. */
const PART = 'the user store'

/** Finds the host's users, checks that they have the requested id, and describes each once. */
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
   * The user of a record, read from the host now.
   *
   * @throws UnavailableError where it cannot say; what `describe` throws, such as ConfigurationError
   */
  async find(recordId: string): Promise<Account<U> | null> {
    const found = await this.lookUp(recordId)
    if (found.kind === 'odd') throw found.odd.cause
    return found.kind === 'found' ? found.account : null
  }

  /**
   * The same, but distinguishes a user who is gone, a user whom the app describes wrongly, and an
   * answer with another user. A store that takes "ANN" for "ann" would find one user under many
   * ids.
   *
   * @throws UnavailableError where it cannot say
   */
  async lookUp(recordId: string): Promise<LookedUp<U>> {
    const { users, hostIdOf, timeout } = this.#parts
    const hostId = hostIdOf(recordId)
    if (hostId === null) return { kind: 'none' }
    const user = await withTimeout(PART, () => users.findById(hostId), timeout)
    return this.#lookedUp(recordId, user)
  }

  /** The same of all the users of a list, in their order. They share the time of one call. */
  async lookUpAll(recordIds: readonly string[]): Promise<readonly LookedUp<U>[]> {
    const { users, hostIdOf, timeout } = this.#parts
    // Rejects where the host throws: the others are asked already, and must not fail unheard.
    const find = async (recordId: string) => {
      const hostId = hostIdOf(recordId)
      return hostId === null ? null : users.findById(hostId)
    }
    const found = await withTimeout(PART, () => Promise.all(recordIds.map(find)), timeout)
    return recordIds.map((recordId, at) => this.#lookedUp(recordId, found[at]))
  }

  #lookedUp(recordId: string, user: U | null | undefined | false): LookedUp<U> {
    if (user === null || user === undefined || user === false) return { kind: 'none' }
    const told = this.#described(user)
    // If even the id is unreadable, takes the requested id.
    if (told.id !== null && told.id !== recordId) return { kind: 'other', id: told.id }
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
      const { listed, next } = checked(given, query)
      // `Array.from` also visits empty places, which `map` skips.
      return { accounts: Array.from(listed, (user) => this.#described(user)), next }
    }
    return withTimeout(PART, read, timeout)
  }

  /** One user who is described wrongly must not hide the others. */
  #described(user: U): Account<U> | OddUser {
    try {
      return this.#parts.describe(user)
    } catch (cause) {
      return oddUser(this.#parts.glimpse(user), cause)
    }
  }
}

function checked<U>(given: UserPage<U>, { limit, cursor }: UserQuery) {
  const { users: listed, next = null } = given
  if (!Array.isArray(listed) || !(next === null || typeof next === 'string')) {
    throw new Error('users.list answered nonsense: { users: […], next: a string or null } is asked')
  }
  if (listed.length > limit) throw new Error('users.list answered with too many users')
  // Whoever asks for all pages would ask for ever.
  if (next !== null && next === cursor) throw new Error('users.list goes on at the same cursor')
  return { listed: listed as readonly U[], next }
}
