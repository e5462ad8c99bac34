import type { Moment } from '../factors/factor.js'
import { type Accepted, isAccepted } from './accepted-methods.js'
import { askedKeys } from './authenticators.js'
import type { SecondStepEvent } from './event.js'
import type { SecondStepRecord } from './record.js'
import type { Method } from './stamp.js'

/**
 * The event of a code that was accepted of a user whose security key could have answered. A page that passes codes on
 * goes around the key, so its owner must hear of it. None where no key can answer now, or none would count.
 */
export function weakerMethodUsed(
  record: SecondStepRecord,
  method: Method,
  accepted: Accepted,
  { ceremonies }: Pick<Moment, 'ceremonies'>,
): readonly SecondStepEvent[] {
  const keys = askedKeys(record, ceremonies?.relyingParty ?? null)
  const isWeaker = keys.some(({ type }) => isAccepted(accepted, type))
  return isWeaker ? [{ type: 'weaker-method-used', method }] : []
}
