import { isAhead } from '../factors/clock.js'
import { acceptedOf } from './accepted-methods.js'
import type { Policy } from './policy.js'
import type { SecondStepRecord } from './record.js'
import { isBoundByRoute, type RouteRules } from './route-rules.js'
import type { UserContext } from './standing.js'

/**
 * The record without a set-up that a proof has begun before the policy changed, where a rule binds its user. Nobody
 * remembers what that proof was given by, so the rules of now cannot judge it: the set-up takes another one. What replaces
 * everything was begun by no proof in a session, and the pending login is judged by itself.
 */
export function withoutOvertaken(
  { record, policy, subject }: UserContext,
  routes: RouteRules,
  now: number,
): SecondStepRecord {
  const { setup } = record
  if (setup === null || setup.replaces === 'all' || !isChangedSince(policy, setup.startedAt, now))
    return record
  const isBound = acceptedOf(policy, subject) !== null || isBoundByRoute(record, routes)
  return isBound ? { ...record, setup: null } : record
}

/** Whether the policy has changed since then. */
export function isChangedSince(
  { updatedAt }: Pick<Policy, 'updatedAt'>,
  startedAt: number,
  now: number,
): boolean {
  return updatedAt !== null && updatedAt >= startedAt && !isAhead(updatedAt, now)
}
