/** The query of a list. */
export interface UserQuery {
  /** Part of a name or an address, however the host searches; empty: everybody. */
  readonly search: string
  /** `next` of the page before of the same search; null: the first page. */
  readonly cursor: string | null
  /** Users on a page, 1 to 100. */
  readonly limit: number
}

/** Users of a search, in the host's own order. */
export interface UserPage<U = unknown> {
  /** At most the limit; may be fewer, even none, while `next` says that there are more. */
  readonly users: readonly U[]
  /** Cursor of the next page, or nothing where this is the last. */
  readonly next?: string | null | undefined
}

/** Finds the host's users outside of their own requests. */
export interface Users<U = unknown> {
  /**
   * Required with the options `mail` and `roles`, and with `adminRouter()`. Called once at each login: a login
   * with an id for which it answers with another user is refused.
   *
   * @param id what `describe` tells as the user's id, as a string
   * @returns the user, or nothing where there is none any more
   * @throws anything, where it cannot be known
   */
  findById(id: string): Promise<U | null | undefined | false>

  /**
   * Optional. A page of the users, for admins; null for a cursor that no page has given. Without it
   * the admin's list has those alone who have set up a second step, and searches for whole ids.
   *
   * @throws anything, where it cannot be known
   */
  list?(query: UserQuery): Promise<UserPage<U> | null>
}
