/** The host's users, where there is no request that brings one. */
export interface Users<U = unknown> {
  /**
   * Required with the option `mail`.
   *
   * @param id what `describe` tells as the user's id, as a string
   * @returns the user, or nothing where there is none any more
   * @throws anything, where it cannot be known
   */
  findById(id: string): Promise<U | null | undefined | false>
}
