import { type OddField, OddUserError } from '../errors/odd-user-error.js'

/** The known facts about a user whom the app describes wrongly. */
export interface Glimpse {
  /** In the records; null: not even the id can be read. */
  readonly id: string | null
  readonly name: string | null
}

/** A user whom the app describes wrongly, so the facts for the policy's rules are unknown. */
export interface OddUser extends Glimpse {
  /** The wrong field. `describe`: the app's own code throws. */
  readonly field: OddField | 'describe'
  /** The thrown error. */
  readonly cause: unknown
}

export function oddUser(glimpse: Glimpse, cause: unknown): OddUser {
  const field = cause instanceof OddUserError ? cause.field : 'describe'
  return { ...glimpse, field, cause }
}

export function isOdd(one: object): one is OddUser {
  return 'cause' in one && 'field' in one
}
