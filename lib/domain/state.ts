import { isEnrolled } from './authenticators.js'
import { authenticatorLock } from './miss-budget.js'
import { pauseOf } from './pause.js'
import { ruleFor } from './policy.js'
import type { UserContext } from './standing.js'

/** The states there are, in the order in which pages offer them. */
export const STATES = ['on', 'off', 'must-set-up', 'paused', 'locked'] as const

/** The state of a user's second step: the first that applies of locked, paused, must-set-up, on and off. */
export type State = (typeof STATES)[number]

/**
 * @param window steps before and after the current one that are accepted: the caps depend on it
 * @returns `must-set-up` also for a reset whose time is over, and during the days of grace
 */
export function stateOf(userContext: UserContext, window: number, now: number): State {
  const { record, policy, subject } = userContext
  if (!isEnrolled(record)) {
    const { mode } = ruleFor(policy, subject)
    const must = record.mustSetUp !== null || mode === 'required'
    return must && mode !== 'off' ? 'must-set-up' : 'off'
  }
  if (authenticatorLock(record, window, now) !== null) return 'locked'
  return pauseOf(userContext, now) === null ? 'on' : 'paused'
}
