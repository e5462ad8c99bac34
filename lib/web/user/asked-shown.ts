import { FOREVER, pauseOf } from '../../domain/pause.js'
import { ruleFor } from '../../domain/policy.js'
import type { UserContext } from '../../domain/standing.js'

/** Whether the policy asks a user for the second step at all, and the end of a pause: ISO 8601, `forever` or null. */
export function askedShown(userContext: UserContext, now: number) {
  const { policy, subject } = userContext
  const until = pauseOf(userContext, now)
  const iso = () => (until === null ? null : new Date(until).toISOString())
  return {
    asked: ruleFor(policy, subject).mode !== 'off',
    pausedUntil: until === FOREVER ? 'forever' : iso(),
  }
}
