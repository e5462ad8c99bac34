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
  if (setup === null || setup.replaces === 'all') return record
  const { startedAt: at, policy: version } = setup
  if (!isChangedSince(policy, { at, version }, now)) return record
  const isBound = acceptedOf(policy, subject) !== null || isBoundByRoute(record, routes)
  return isBound ? { ...record, setup: null } : record
}

/**
 * Whether the policy has changed since then: by its version, because the clocks of two processes differ. By the times
 * only where a record of before does not know under which version it began.
 */
export function isChangedSince(
  policy: Pick<Policy, 'updatedAt' | 'version'>,
  begun: { readonly at: number; readonly version: number | undefined },
  now: number,
): boolean {
  if (begun.version !== undefined) return policy.version > begun.version
  const { updatedAt } = policy
  return updatedAt !== null && updatedAt >= begun.at && !isAhead(updatedAt, now)
}
