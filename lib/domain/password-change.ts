import { FOREVER } from './pause.js'
import type { Policy } from './policy.js'
import type { SecondStepRecord } from './record.js'
import { isByCode, type Stamp } from './stamp.js'

/** In which circumstances a user's password was changed. */
interface PasswordChange {
  readonly record: SecondStepRecord
  readonly policy: Policy
  /** Of the session that goes on; null: the change has named none that is good. */
  readonly stamp: Stamp | null
  /** Whether a sign-in provider may stand for the code in this app. */
  readonly byProvider: boolean
  readonly now: number
}

/**
 * Whether a changed password clears misses, waits and lock, since whoever guessed codes knows it no longer. Not
 * where the guesser may be the one who has changed it: where the password opens a session without a code, or a
 * provider does (promise 3).
 */
export function clearsMisses({ record, policy, stamp, byProvider, now }: PasswordChange): boolean {
  if (stamp !== null) return isByCode(stamp)
  return !byProvider && !isPaused(record, now) && !isOffForSome(policy)
}

/** An endless pause rests where a rule requires a code, but rules change. */
function isPaused({ pausedUntil }: SecondStepRecord, now: number): boolean {
  return pausedUntil !== null && (pausedUntil === FOREVER || pausedUntil > now)
}

/** Whose roles these are is not known here. */
function isOffForSome({ mode, roles }: Policy): boolean {
  return [mode, ...Object.values(roles)].includes('off')
}
