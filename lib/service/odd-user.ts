import { type OddField, OddUserError } from '../errors/odd-user-error.js'

/** What can be told of a user whom the app tells wrongly. */
export interface Glimpse {
  /** In the records; null: not even the id can be read. */
  readonly id: string | null
  readonly name: string | null
}

/** A user whom the app tells wrongly: nothing is known of them that the rules could be asked about. */
export interface OddUser extends Glimpse {
  /** What is wrong; `describe`: the app's own code throws. */
  readonly field: OddField | 'describe'
  /** What was thrown. */
  readonly cause: unknown
}

export function oddUser(glimpse: Glimpse, cause: unknown): OddUser {
  const field = cause instanceof OddUserError ? cause.field : 'describe'
  return { ...glimpse, field, cause }
}

export function isOdd(one: object): one is OddUser {
  return 'cause' in one && 'field' in one
}
