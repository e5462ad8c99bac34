import { type Check, shape, text } from '../factors/checks.js'
import type { Authenticator } from '../factors/factors.js'
import { hasNoRoom } from './authenticators.js'
import type { SecondStepRecord } from './record.js'

/** What a new authenticator takes the place of: all that there are, none, or one of them. */
export type Replaced = 'all' | 'none' | { readonly id: string }

/** Checks what a store has given back. */
export const isReplaced: Check = (value) =>
  value === 'all' || value === 'none' || shape({ id: text })(value)

/** The place of a new authenticator among those of the user. */
export interface SetupPlace {
  /** The one that goes, if it is a certain one. */
  readonly replaced: Authenticator | null
  /** Those that stay. */
  readonly others: readonly Authenticator[]
  /** All there will be. */
  put(bound: Authenticator): readonly Authenticator[]
}

/** Null: the one that was to be replaced is gone, or there is no room for another. */
export function placeOf(
  record: Pick<SecondStepRecord, 'authenticators'>,
  { replaces, type }: { readonly replaces: Replaced; readonly type: Authenticator['type'] },
): SetupPlace | null {
  const { authenticators } = record
  if (replaces === 'all') return { replaced: null, others: [], put: (bound) => [bound] }
  if (replaces === 'none') {
    const put = (bound: Authenticator) => [...authenticators, bound]
    return hasNoRoom(record, type) ? null : { replaced: null, others: authenticators, put }
  }
  const at = authenticators.findIndex(({ id }) => id === replaces.id)
  const replaced = authenticators[at]
  if (replaced === undefined) return null
  const others = authenticators.filter((one) => one !== replaced)
  return { replaced, others, put: (bound) => authenticators.with(at, bound) }
}
