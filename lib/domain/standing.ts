import { isAhead, isGoodUntil } from '../factors/clock.js'
import { acceptedOf, isAccepted, lacksAccepted } from './accepted-methods.js'
import { isEnrolled } from './authenticators.js'
import { isChangedSince } from './overtaken-setup.js'
import { pauseOf } from './pause.js'
import { PENDING_LASTS, type PendingLogin, pendingExpiresAt } from './pending-login.js'
import { type Policy, ruleFor, type Subject } from './policy.js'
import type { SecondStepRecord } from './record.js'
import { leadsToSetup } from './reset.js'
import { grantedAt, isGranted } from './setup-grant.js'
import { isEnded, type Stamp } from './stamp.js'
import { isTrusted } from './trusted-browsers.js'
import { DAY_MS } from './units.js'
import { countsUpstream } from './upstream.js'

/** The facts that decide a user's standing. */
export interface UserContext {
  readonly record: SecondStepRecord
  readonly policy: Policy
  readonly subject: Subject
}

/** What record and policy require of a user now. */
export type Demand = 'nothing' | 'code' | 'setup'

/**
 * @returns `code` also for a reset whose time is over: the password alone no longer leads to the
 *   set-up, and there is no code to give
 */
export function demandOf(userContext: UserContext, now: number): Demand {
  const { record, policy, subject } = userContext
  if (ruleFor(policy, subject).mode === 'off') return 'nothing'
  if (isEnrolled(record)) return pauseOf(userContext, now) === null ? 'code' : 'nothing'
  const { mustSetUp } = record
  if (mustSetUp !== null) return leadsToSetup(mustSetUp, now) ? 'setup' : 'code'
  const deadline = graceDeadlineOf(userContext, now)
  return deadline === null || now < deadline ? 'nothing' : 'setup'
}

/**
 * The deadline for a user without an authenticator, or null if no rule requires one. The days of
 * grace begin at the later of the rule's start and the account's creation. The rule's start is the
 * first one in the user's record, so switching the rule off and on gives nobody new days. A rule's start
 * in the future counts as now. An account's doesn't, or its days would begin anew with each request.
 */
export function graceDeadlineOf(
  { record, policy, subject }: UserContext,
  now: number,
): number | null {
  const rule = ruleFor(policy, subject)
  if (rule.mode !== 'required' || isEnrolled(record)) return null
  const start = Math.min(rule.since ?? 0, record.ruleStart ?? Number.POSITIVE_INFINITY)
  const { createdAt } = subject
  const joined = createdAt === null || isAhead(createdAt, now) ? 0 : createdAt
  return Math.min(Math.max(start, joined), now) + rule.graceDays * DAY_MS
}

/**
 * The deadline to set up an authenticator, by the policy or after a reset. Null: none is required, or not of this
 * session, whose second step was passed upstream.
 *
 * @param stamp of a session. Default: none
 */
export function setupDeadlineOf(
  userContext: UserContext,
  now: number,
  stamp: Stamp | null = null,
): number | null {
  const { record, policy, subject } = userContext
  if (isEnrolled(record) || ruleFor(policy, subject).mode === 'off') return null
  if (stamp?.method === 'upstream' && countsUpstream(record)) return null
  return record.mustSetUp?.until ?? graceDeadlineOf(userContext, now)
}

/** The record with the start of the first rule that required a second step of this user. */
export function noteRule({ record, policy, subject }: UserContext, now: number): SecondStepRecord {
  const { mode, since } = ruleFor(policy, subject)
  const { ruleStart } = record
  if (ruleStart !== null && isAhead(ruleStart, now)) return { ...record, ruleStart: now }
  if (mode !== 'required' || since === null || ruleStart !== null) return record
  return { ...record, ruleStart: Math.min(since, now) }
}

/**
 * The standing of a session with a user in it.
 *
 * - `passed`: the stamp satisfies record and policy now
 * - `code-required`, `setup-required`: it merely no longer does; a pending login takes its place
 * - `revoked`: it was ended; nothing of it may go on
 */
export type Standing = 'passed' | 'code-required' | 'setup-required' | 'revoked'

export function standingOf(
  userId: string,
  stamp: Stamp | null,
  userContext: UserContext,
  now: number,
): Standing {
  if (isRevoked(userId, stamp, userContext.record, now)) return 'revoked'
  const demand = demandOf(userContext, now)
  if (demand === 'nothing' || satisfies(stamp, demand, userContext, now)) return 'passed'
  // A pending login needs a valid first step: a session that began with an old password has none.
  if ((stamp?.at ?? 0) < (userContext.record.passwordChangedAt ?? 0)) return 'revoked'
  return demand === 'setup' ? 'setup-required' : 'code-required'
}

/**
 * Whether the stamp's second step counts by the rules of now. A code is enough for who has something to give it with; a
 * second step passed upstream also for who has not. The stamp of a trusted browser stands for a code as long as that
 * browser is trusted.
 */
function satisfies(
  stamp: Stamp | null,
  demand: Exclude<Demand, 'nothing'>,
  { record, policy, subject }: UserContext,
  now: number,
): boolean {
  if (stamp === null || stamp.method === 'none') return false
  if (!isAccepted(acceptedOf(policy, subject), stamp.method)) return false
  if (stamp.method === 'upstream') return countsUpstream(record)
  if (demand !== 'code') return false
  return stamp.method !== 'trusted-browser' || isTrusted(record, stamp.trust, policy, now)
}

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

/**
 * What a request had when the guard let it in: a pending login, or a signed-in session and its
 * stamp.
 */
export type Admission =
  | { readonly kind: 'pending'; readonly pending: PendingLogin }
  | { readonly kind: 'signed-in'; readonly userId: string; readonly stamp: Stamp | null }

/**
 * Whether the guard would still let the request in. The decision itself checks this again: the
 * client decides when it sends the body, and the login may have ended or expired since the guard
 * ran.
 */
export function stillAdmitted(
  admission: Admission,
  userContext: UserContext,
  now: number,
): boolean {
  if (admission.kind === 'signed-in') {
    return standingOf(admission.userId, admission.stamp, userContext, now) !== 'revoked'
  }
  return pendingStandingOf(admission.pending, userContext, now) !== 'over'
}

/**
 * Whether it may still set up: a pending login only where it still leads there. The app's look for the user may have
 * taken its time.
 */
export function stillMaySetUp(
  admission: Admission,
  userContext: UserContext,
  now: number,
): boolean {
  return admission.kind === 'pending'
    ? pendingStandingOf(admission.pending, userContext, now) === 'setup-required'
    : stillAdmitted(admission, userContext, now)
}

/**
 * The standing of a pending login: what it waits for, `free` if the user needs no second step any
 * more, or `over`.
 */
export type PendingStanding = 'code-required' | 'setup-required' | 'free' | 'over'

export function pendingStandingOf(
  pending: PendingLogin,
  userContext: UserContext,
  now: number,
): PendingStanding {
  const { record } = userContext
  if (!isGoodUntil(pendingExpiresAt(pending), PENDING_LASTS, now)) return 'over'
  if (pending.epoch !== record.epoch) return 'over'
  // The user's password has changed since its first step.
  if (pending.at < (record.passwordChangedAt ?? 0)) return 'over'
  if (record.endedLogins.some(({ id }) => id === pending.id)) return 'over'
  const { stampId, stampVersion } = pending
  if (stampId !== null && isEnded(record, { id: stampId, version: stampVersion ?? 0 }))
    return 'over'
  if (isGranted(record, pending.id, now) && grantCounts(userContext, now)) return 'setup-required'
  const demand = demandOf(userContext, now)
  if (demand === 'nothing') return 'free'
  return demand === 'setup' ? 'setup-required' : 'code-required'
}

/**
 * By the rules of now: it was a one-time code, or led to what the user lacked. Nobody remembers by what it was earned, so
 * one of before the rules changed counts no more.
 */
function grantCounts({ record, policy, subject }: UserContext, now: number): boolean {
  const accepted = acceptedOf(policy, subject)
  const grant = record.setupGrant
  const isOvertaken =
    grant !== null && isChangedSince(policy, { at: grantedAt(grant), version: grant.policy }, now)
  if (accepted !== null && isOvertaken) return false
  return isAccepted(accepted, 'one-time-code') || lacksAccepted(record, accepted)
}
