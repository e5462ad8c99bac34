/**
 * A Knex instance of version 3, or one of its transactions. Told by what it has, so that hosts
 * without Knex can compile against the package.
 */
export interface KnexInstance {
  readonly client: unknown
  readonly schema: object
  destroy(): Promise<void>
}

/** Options of everything that is in a database. */
export interface KnexOptions {
  /**
   * Milliseconds that one call may take, 50 to 30,000: what the option `timeout` of `createSecondStep`
   * is. A query ends a little earlier. Default 1000.
   */
  readonly timeout?: number
}
