import type { SecondStepEvent } from './event.js'
import { authenticatorLock } from './miss-budget.js'
import type { SecondStepRecord } from './record.js'
import type { Method } from './stamp.js'

/** The event of a lock that wrong codes of this kind have reached. */
export function lockEvent(method: Method, until: number): SecondStepEvent {
  return { type: 'authenticator-locked', method, detail: { until: new Date(until) } }
}

/**
 * The event of a lock that a change of the devices causes; none if it causes none. The misses of a token that is
 * removed count on for the others, and each device that is added lowers the caps of misses.
 */
export function lockEventsOfChange(
  method: Method,
  { before, after }: { readonly before: SecondStepRecord; readonly after: SecondStepRecord },
  { window, now }: { readonly window: number; readonly now: number },
): readonly SecondStepEvent[] {
  const until = authenticatorLock(after, window, now)
  const isNew = until !== null && authenticatorLock(before, window, now) === null
  return isNew ? [lockEvent(method, until)] : []
}
