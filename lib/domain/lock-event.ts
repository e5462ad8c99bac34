import type { SecondStepEvent } from './event.js'
import { authenticatorLock } from './miss-budget.js'
import type { SecondStepRecord } from './record.js'
import type { Method } from './stamp.js'

/** That the user's authenticators are locked until then, by wrong codes of this kind. */
export function lockedUntil(method: Method, until: number): SecondStepEvent {
  return { type: 'authenticator-locked', method, detail: { until: new Date(until) } }
}

/**
 * The lock that a change of the devices brings, if it does: the guesses of a token that goes
 * count on for the others, and each further device lowers the caps of misses.
 */
export function lockBrought(
  method: Method,
  { before, after }: { readonly before: SecondStepRecord; readonly after: SecondStepRecord },
  { window, now }: { readonly window: number; readonly now: number },
): readonly SecondStepEvent[] {
  const until = authenticatorLock(after, window, now)
  const isNew = until !== null && authenticatorLock(before, window, now) === null
  return isNew ? [lockedUntil(method, until)] : []
}
