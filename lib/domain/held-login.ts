import { endLogin, type PendingLogin } from './pending-login.js'
import type { SecondStepRecord } from './record.js'
import { endStamp, isEnded, type Stamp } from './stamp.js'

/** What a session holds of a login: the stamp of a signed-in user, or a pending login. */
export type HeldLogin =
  | { readonly kind: 'stamp'; readonly login: Stamp }
  | { readonly kind: 'pending'; readonly login: PendingLogin }

/**
 * Ends for good what a session held, because a slow request may write its old copy of the session
 * back.
 *
 * @returns the same record where that is over anyway
 */
export function endHeld(
  record: SecondStepRecord,
  { kind, login }: HeldLogin,
  now: number,
): SecondStepRecord {
  if (login.epoch !== record.epoch) return record
  if (kind === 'pending') return endLogin(record, login, now)
  return isEnded(record, login) ? record : endStamp(record, login.id)
}
