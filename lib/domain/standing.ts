import { isAhead, isGoodUntil } from '../factors/clock.js'
import { isEnrolled } from './authenticators.js'
import { PENDING_LASTS, type PendingLogin, pendingExpiresAt } from './pending-login.js'
import { type Policy, ruleFor, type Subject } from './policy.js'
import type { SecondStepRecord } from './record.js'
import { isGranted } from './setup-grant.js'
import { isEnded, type Stamp } from './stamp.js'
import { DAY_MS } from './units.js'

/** What a user's standing is decided on. */
export interface Footing {
  readonly record: SecondStepRecord
  readonly policy: Policy
  readonly subject: Subject
}

/** What record and policy ask of a user now. */
export type Demand = 'nothing' | 'code' | 'setup'

/** A pause without an end, in a record. */
export const FOREVER = Number.MAX_SAFE_INTEGER

const PAUSE_LASTS = 365 * DAY_MS
/** The longer one, an admin's: a user's own is for a day. */
const RESET_LASTS = 7 * DAY_MS

/**
 * @returns `code` also for a reset whose time is over: the password alone no longer leads to the
 *   set-up, and there is no code to give
 */
export function demandOf(footing: Footing, now: number): Demand {
  const { record, policy, subject } = footing
  if (ruleFor(policy, subject).mode === 'off') return 'nothing'
  if (isEnrolled(record)) return pauseOf(footing, now) === null ? 'code' : 'nothing'
  const { mustSetUp } = record
  if (mustSetUp !== null) return isGoodUntil(mustSetUp.until, RESET_LASTS, now) ? 'setup' : 'code'
  const deadline = graceDeadlineOf(footing, now)
  return deadline === null || now < deadline ? 'nothing' : 'setup'
}

/**
 * Until when no code is asked for, or null. It ends by itself; one without an end is not honoured
 * where the second step is required.
 */
export function pauseOf({ record, policy, subject }: Footing, now: number): number | null {
  const { pausedUntil } = record
  if (!isEnrolled(record) || pausedUntil === null) return null
  if (pausedUntil !== FOREVER)
    return isGoodUntil(pausedUntil, PAUSE_LASTS, now) ? pausedUntil : null
  return ruleFor(policy, subject).mode === 'required' ? null : pausedUntil
}

/**
 * When somebody without an authenticator must have set one up, or null where no rule asks for it:
 * the days of grace from the later of the rule's start and the account's. The start is the first
 * that the user's record knows of, so switching the rule off and on gives nobody new days. What is
 * dated in the future has begun by now.
 */
export function graceDeadlineOf({ record, policy, subject }: Footing, now: number): number | null {
  const rule = ruleFor(policy, subject)
  if (rule.mode !== 'required' || isEnrolled(record)) return null
  const start = Math.min(rule.since ?? 0, record.ruleStart ?? Number.POSITIVE_INFINITY)
  return Math.min(Math.max(start, subject.createdAt ?? 0), now) + rule.graceDays * DAY_MS
}

/** Until when an authenticator must be set up, by the policy or after a reset; null: it need not. */
export function setupDeadlineOf(footing: Footing, now: number): number | null {
  const { record, policy, subject } = footing
  if (isEnrolled(record) || ruleFor(policy, subject).mode === 'off') return null
  return record.mustSetUp?.until ?? graceDeadlineOf(footing, now)
}

/** The record with the start of the first rule that required a second step of this user. */
export function noteRule({ record, policy, subject }: Footing, now: number): SecondStepRecord {
  const { mode, since } = ruleFor(policy, subject)
  const { ruleStart } = record
  if (ruleStart !== null && isAhead(ruleStart, now)) return { ...record, ruleStart: now }
  if (mode !== 'required' || since === null || ruleStart !== null) return record
  return { ...record, ruleStart: Math.min(since, now) }
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
  footing: Footing,
  now: number,
): Standing {
  if (isRevoked(userId, stamp, footing.record, now)) return 'revoked'
  const demand = demandOf(footing, now)
  const asked = demand === 'code' && (stamp === null || stamp.method === 'none')
  if (demand !== 'setup' && !asked) return 'passed'
  // A pending login is a first step of now: a session that an old password began is none.
  if ((stamp?.at ?? 0) < (footing.record.passwordChangedAt ?? 0)) return 'revoked'
  return demand === 'setup' ? 'setup-required' : 'code-required'
}

/** A session without a stamp is older than the package, or than the user's first set-up. */
function isRevoked(
  userId: string,
  stamp: Stamp | null,
  record: SecondStepRecord,
  now: number,
): boolean {
  if (stamp === null) return record.epoch > 0
  const ended = stamp.epoch !== record.epoch || isEnded(record, stamp)
  return stamp.userId !== userId || ended || isAhead(stamp.at, now)
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
export function stillAdmitted(admission: Admission, footing: Footing, now: number): boolean {
  if (admission.kind === 'signed-in') {
    return standingOf(admission.userId, admission.stamp, footing, now) !== 'revoked'
  }
  return pendingStandingOf(admission.pending, footing, now) !== 'over'
}

/**
 * Where a pending login stands: what it waits for, `free` where nothing is asked of the user any
 * more, or `over`.
 */
export type PendingStanding = 'code-required' | 'setup-required' | 'free' | 'over'

export function pendingStandingOf(
  pending: PendingLogin,
  footing: Footing,
  now: number,
): PendingStanding {
  const { record } = footing
  if (!isGoodUntil(pendingExpiresAt(pending), PENDING_LASTS, now)) return 'over'
  if (pending.epoch !== record.epoch) return 'over'
  // Its first step was passed with a password that is no longer the user's.
  if (pending.at < (record.passwordChangedAt ?? 0)) return 'over'
  if (record.endedLogins.some(({ id }) => id === pending.id)) return 'over'
  const { stampId, stampVersion } = pending
  if (stampId !== null && isEnded(record, { id: stampId, version: stampVersion ?? 0 }))
    return 'over'
  if (isGranted(record, pending.id, now)) return 'setup-required'
  const demand = demandOf(footing, now)
  if (demand === 'nothing') return 'free'
  return demand === 'setup' ? 'setup-required' : 'code-required'
}
