/**
 * A Knex instance of version 3, or one of its transactions. Told by what it has, so that hosts
 * without Knex can compile against the package.
 */
export interface KnexInstance {
  readonly client: unknown
  readonly schema: object
  destroy(): Promise<void>
}
