import { graceEndOf } from './groups.js'
import { ruleFor } from './policy.js'
import type { UserContext } from './standing.js'
import { DAY_MS } from './units.js'

/** A mail that is due before the days of grace end. Times in milliseconds. */
export interface DueReminder {
  readonly deadline: number
  /** One of the days of the option: each is mailed once. */
  readonly day: number
}

/**
 * The reminder that a user is due now, or null. Whoever was not looked at for some days gets the last one alone.
 *
 * @param days before the end, in any order
 */
export function dueReminder(
  userContext: UserContext,
  days: readonly number[],
  now: number,
): DueReminder | null {
  const { policy, subject } = userContext
  const deadline = graceEndOf(userContext, now)
  if (deadline === null) return null
  const left = deadline - now
  // The rule's start is ahead and counts as now: the end moves on, and would be another one at each look.
  if (left >= ruleFor(policy, subject).graceDays * DAY_MS) return null
  const due = days.filter((day) => left <= day * DAY_MS)
  return due.length === 0 ? null : { deadline, day: Math.min(...due) }
}
