import { type Authenticator, FACTOR_METHODS, type FactorMethod } from '../factors/factors.js'
import { authenticatorById, isLast } from './own-authenticators.js'
import type { SecondStepRecord } from './record.js'

/** The methods whose proofs an action shows, binds or removes. */
export type Touches = (record: SecondStepRecord) => readonly FactorMethod[]

export const TOUCHES_NOTHING: Touches = () => []
/** Also what makes the user one who has none, and may bind one by the password alone. */
export const TOUCHES_ALL: Touches = () => FACTOR_METHODS
export const TOUCHES_BACKUP_CODES: Touches = () => ['backup-code']

/** Shows the key of an authenticator. */
export function touchesShown(id: string): Touches {
  return (record) => typeIn(record, id)
}

/**
 * Binds one of this type. Whoever confirms it is given new backup codes, if the user has any.
 *
 * @param bound.replaced id of the one that it replaces, or null
 */
export function touchesBound(
  type: Authenticator['type'] | null,
  { replaced, withCodes }: { readonly replaced: string | null; readonly withCodes: boolean },
): Touches {
  return (record) => [
    ...(type === null ? [] : [type]),
    ...(replaced === null ? [] : typeIn(record, replaced)),
    ...(withCodes ? (['backup-code'] as const) : []),
  ]
}

/** Removes an authenticator: the last one turns the second step off. */
export function touchesRemoved(id: string): Touches {
  return (record) => (isLast(record, id) ? FACTOR_METHODS : typeIn(record, id))
}

function typeIn(record: SecondStepRecord, id: string): readonly FactorMethod[] {
  const one = authenticatorById(record, id)
  return one === null ? [] : [one.type]
}
