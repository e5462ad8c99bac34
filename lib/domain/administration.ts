import type { BackupCodeSet } from '../factors/backup-codes/kept.js'
import { type OneTimeCode, withOneTimeCode } from '../factors/one-time-codes/kept.js'
import { backupCodesFor } from './accepted-methods.js'
import { oneTimeCodesFor } from './admin-actions.js'
import { noAttempts } from './attempts.js'
import { isEnrolled } from './authenticators.js'
import type { Decision } from './decision.js'
import type { SecondStepEvent } from './event.js'
import { authenticatorById, isLast, removeOne } from './own-authenticators.js'
import { FOREVER, hasPause, withoutPause, withPause } from './pause.js'
import { ruleFor } from './policy.js'
import type { SecondStepRecord } from './record.js'
import { forget, namingLast } from './reset.js'
import type { RouteRules } from './route-rules.js'
import { raiseEpoch } from './stamp.js'
import { setupDeadlineOf, type UserContext } from './standing.js'
import { withoutTrust } from './trusted-browsers.js'
import { DAY_MS } from './units.js'

/** The domain's answer to an admin's change. `done` also if there was nothing to do. */
export type AdminVerdict =
  | 'done'
  | 'not-enrolled'
  | 'required-by-policy'
  | 'switched-off'
  /** A rule of the user's roles does not accept it. */
  | 'stronger-factor-required'
  | 'no-room'
  | 'serial-in-use'
  /** Another authenticator, of the user or of another one, has the same key: one code would be good at both. */
  | 'seed-in-use'
  /** The user has no such authenticator. */
  | 'not-found'

/** Whole days in which the user can set up again after an admin's reset. */
export const RESET_BY_ADMIN_DAYS = 7

/** Turns the second step off, if the policy permits it. */
export function disableByAdmin({ record, policy, subject }: UserContext): Decision<AdminVerdict> {
  if (ruleFor(policy, subject).mode === 'required') return refused(record, 'required-by-policy')
  if (holdsNothing(record)) return nothingToDo(record)
  return done(forget(record, null), { type: 'disabled', method: null })
}

/**
 * Removes one authenticator, such as a lost one. Its user signs in by the others, and every session ends.
 * Without the last one the second step is off, if the policy permits it.
 */
export function removeByAdmin(
  userContext: UserContext,
  id: string,
  moment: { readonly window: number; readonly now: number },
): Decision<AdminVerdict> {
  const { record } = userContext
  const removed = authenticatorById(record, id)
  if (removed === null) return refused(record, 'not-found')
  if (isLast(record, id)) return namingLast(disableByAdmin(userContext), removed)
  return { ...removeOne(record, removed, moment), answer: 'done' }
}

/**
 * Deletes authenticator and codes. The user must set up at the next login, within seven days. Works
 * also if the policy requires a second step, and again after the time of an earlier reset is over.
 * It does not change the days of grace, which count from the rule's start alone.
 */
export function resetByAdmin({ record }: UserContext, now: number): Decision<AdminVerdict> {
  if (!hasOrOwesAuthenticator(record)) return refused(record, 'not-enrolled')
  return done(forget(record, { until: resetEnd(now) }), { type: 'reset', method: null })
}

/** Until when a user sets up whom an admin resets now. */
export function resetEnd(now: number): number {
  return now + RESET_BY_ADMIN_DAYS * DAY_MS
}

/**
 * Pauses the second step until then: logins need no code. The authenticator stays, and no session
 * ends.
 */
export function pauseByAdmin(
  userContext: UserContext,
  until: number,
  now: number,
): Decision<AdminVerdict> {
  const { record, policy, subject } = userContext
  if (!isEnrolled(record)) return refused(record, 'not-enrolled')
  const endless = until === FOREVER
  if (endless && ruleFor(policy, subject).mode === 'required') {
    return refused(record, 'required-by-policy')
  }
  if (record.pausedUntil === until) return nothingToDo(record)
  const detail = { until: endless ? 'forever' : new Date(until) } as const
  return done(withPause(withoutTrust(record), until, now), { type: 'paused', method: null, detail })
}

/** Ends a pause, also one that the policy overrides now, so that it does not come back later. */
export function resumeByAdmin({ record }: UserContext, now: number): Decision<AdminVerdict> {
  if (!hasPause(record, now)) return nothingToDo(record)
  return done(withoutPause(withoutTrust(record)), { type: 'resumed', method: null })
}

/** Makes a new set, which the admin sees. All earlier backup codes stop working. */
export function backupCodesByAdmin(
  { record, policy, subject }: UserContext,
  set: BackupCodeSet,
): Decision<AdminVerdict> {
  if (!policy.backupCodes) return refused(record, 'switched-off')
  if (!backupCodesFor(policy, subject)) return refused(record, 'stronger-factor-required')
  if (!isEnrolled(record)) return refused(record, 'not-enrolled')
  const seen = { ...set, seenByAdmin: true }
  return done(
    { ...withoutTrust(record), backupCodes: seen },
    { type: 'backup-codes-made', method: null },
  )
}

/** Makes a code for one login, in which the user must set up again. Earlier codes stay. */
export function oneTimeCodeByAdmin(
  userContext: UserContext,
  code: OneTimeCode,
  now: number,
  routes: RouteRules,
): Decision<AdminVerdict> {
  const { record } = userContext
  if (!hasOrOwesAuthenticator(record)) return refused(record, 'not-enrolled')
  if (!oneTimeCodesFor(userContext, routes)) return refused(record, 'stronger-factor-required')
  const detail = { expiresAt: new Date(code.expiresAt) }
  const oneTimeCodes = withOneTimeCode(record.oneTimeCodes, code, now)
  return done(
    { ...withoutTrust(record), oneTimeCodes },
    {
      type: 'one-time-code-made',
      method: null,
      detail,
    },
  )
}

/**
 * Asks a user who has no second step to set one up. Nothing changes.
 *
 * @param mails whether the app sends mails: else nobody would be asked
 */
export function remindByAdmin(
  userContext: UserContext,
  { mails, now }: { readonly mails: boolean; readonly now: number },
): Decision<AdminVerdict> {
  const { record, policy, subject } = userContext
  if (isEnrolled(record)) return nothingToDo(record)
  const isOff = ruleFor(policy, subject).mode === 'off'
  if (isOff || !mails) return refused(record, 'switched-off')
  const deadline = setupDeadlineOf(userContext, now)
  const until = deadline === null || deadline <= now ? null : new Date(deadline)
  return done(record, { type: 'reminded', method: null, detail: { until } })
}

/** Misses, waits and the lock are cleared. */
export function unlockByAdmin({ record }: UserContext): Decision<AdminVerdict> {
  const { misses, consecutive } = record.attempts
  if (misses.length === 0 && consecutive === 0) return nothingToDo(record)
  return done({ ...record, attempts: noAttempts }, { type: 'unlocked', method: null })
}

/**
 * Ends every session and pending login. Their number is unknown, so the answer is always `done`.
 */
export function endSessionsByAdmin({ record }: UserContext): Decision<AdminVerdict> {
  return done(raiseEpoch(record), { type: 'sessions-ended', method: null })
}

/** Notes the reason of the change, which is none. */
export function noteByAdmin({ record }: UserContext): Decision<AdminVerdict> {
  return done(record, { type: 'note', method: null })
}

/** Also offered after a reset, however long ago, because the user then needs one of these. */
function hasOrOwesAuthenticator(record: SecondStepRecord): boolean {
  return isEnrolled(record) || record.mustSetUp !== null
}

function holdsNothing(record: SecondStepRecord): boolean {
  const { backupCodes, mailReset, oneTimeCodes, setupGrant, pausedUntil } = record
  const rest = [backupCodes, mailReset, setupGrant, pausedUntil]
  return (
    !hasOrOwesAuthenticator(record) &&
    rest.every((part) => part === null) &&
    oneTimeCodes.length === 0
  )
}

function done(record: SecondStepRecord, event: SecondStepEvent): Decision<AdminVerdict> {
  return { record, answer: 'done', events: [event] }
}

function nothingToDo(record: SecondStepRecord): Decision<AdminVerdict> {
  return { record, answer: 'done', events: [] }
}

function refused(
  record: SecondStepRecord,
  answer: Exclude<AdminVerdict, 'done'>,
): Decision<AdminVerdict> {
  return { record, answer, events: [] }
}
