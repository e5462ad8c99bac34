import { type PendingLogin, pendingExpiresAt } from './pending-login.js'
import type { Policy } from './policy.js'
import type { SecondStepRecord } from './record.js'
import type { Stamp } from './stamp.js'

/** What record and policy ask of a user now. */
export type Demand = 'nothing' | 'code' | 'setup'

/**
 * @returns `code` also for a reset whose time is over: the password alone no longer leads to the
 *   set-up, and there is no code to give
 */
export function demandOf(record: SecondStepRecord, policy: Policy, now: number): Demand {
  if (policy.mode === 'off') return 'nothing'
  if (record.authenticator !== null) return 'code'
  if (record.mustSetUp !== null) return now < record.mustSetUp.until ? 'setup' : 'code'
  return policy.mode === 'required' ? 'setup' : 'nothing'
}

/**
 * Where a session with a user in it stands.
 *
 * - `passed`: the stamp satisfies record and policy now
 * - `code-required`, `setup-required`: it merely no longer does; a pending login takes its place
 * - `revoked`: it was ended; nothing of it may go on
 */
export type Standing = 'passed' | 'code-required' | 'setup-required' | 'revoked'

export function standingOf(
  userId: string,
  stamp: Stamp | null,
  record: SecondStepRecord,
  policy: Policy,
  now: number,
): Standing {
  if (isRevoked(userId, stamp, record)) return 'revoked'
  const demand = demandOf(record, policy, now)
  if (demand === 'setup') return 'setup-required'
  if (demand === 'code' && (stamp === null || stamp.method === 'none')) return 'code-required'
  return 'passed'
}

/** A session without a stamp is older than the package, or than the user's first set-up. */
function isRevoked(userId: string, stamp: Stamp | null, record: SecondStepRecord): boolean {
  if (stamp === null) return record.epoch > 0
  return (
    stamp.userId !== userId ||
    stamp.epoch !== record.epoch ||
    record.ended.some((ended) => ended.id === stamp.id)
  )
}

/** What a request was let in with: a pending login, or a signed-in session and its stamp. */
export type Admission =
  | { readonly kind: 'pending'; readonly pending: PendingLogin }
  | { readonly kind: 'signed-in'; readonly userId: string; readonly stamp: Stamp | null }

/**
 * Whether a request that was let in still would be. Asked again in the decision itself: between the
 * guard and the write lies the body, which the client sends when it likes, and the login may have
 * been ended or have expired meanwhile.
 */
export function stillAdmitted(
  admission: Admission,
  record: SecondStepRecord,
  policy: Policy,
  now: number,
): boolean {
  if (admission.kind === 'signed-in') {
    return standingOf(admission.userId, admission.stamp, record, policy, now) !== 'revoked'
  }
  return pendingStandingOf(admission.pending, record, policy, now) !== 'over'
}

/** Where a pending login stands: what it waits for, or `over`. */
export type PendingStanding = 'code-required' | 'setup-required' | 'over'

export function pendingStandingOf(
  pending: PendingLogin,
  record: SecondStepRecord,
  policy: Policy,
  now: number,
): PendingStanding {
  if (now >= pendingExpiresAt(pending) || pending.epoch !== record.epoch) return 'over'
  // Its first step was passed with a password that is no longer the user's.
  if (pending.at < (record.passwordChangedAt ?? 0)) return 'over'
  if (record.authenticator !== null) return 'code-required'
  const demand = demandOf(record, policy, now)
  if (demand === 'setup') return 'setup-required'
  return demand === 'code' ? 'code-required' : 'over'
}
