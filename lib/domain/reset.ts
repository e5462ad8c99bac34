import { isGoodUntil } from '../factors/clock.js'
import { noAttempts } from './attempts.js'
import type { Decision } from './decision.js'
import { type NamedAuthenticator, namedDetail } from './event.js'
import { withoutPause } from './pause.js'
import type { SecondStepRecord } from './record.js'
import { raiseEpoch } from './stamp.js'
import { DAY_MS } from './units.js'

/** The trace of a reset: until this time, the next login leads to the set-up. */
export interface MustSetUp {
  /** Milliseconds. */
  readonly until: number
  /** When it began, of the user's own reset. Missing: an admin's, or one from before it was noted. */
  readonly from?: number
}

const OWN_RESET_LASTS = DAY_MS
/** The longest one, by an admin. */
const RESET_LASTS = 7 * DAY_MS

/** The user's own reset: for a day, the password alone leads to the set-up. */
export function ownReset(now: number): MustSetUp {
  return { until: now + OWN_RESET_LASTS, from: now }
}

/** When it began, or the earliest time at which it may have. */
export function setupStart({ until, from = until - RESET_LASTS }: MustSetUp): number {
  return from
}

/** Whether the password alone leads to the set-up now. */
export function leadsToSetup(mustSetUp: MustSetUp, now: number): boolean {
  return isGoodUntil(mustSetUp.until, mustSetUp.until - setupStart(mustSetUp), now)
}

/**
 * The user's own reset: deletes authenticator and codes, and ends every session. The user must set
 * up again at the next login, within a day, because until then the password alone leads to the
 * set-up.
 */
export function resetByUser(record: SecondStepRecord, now: number): Decision<undefined> {
  return forgotten(forget(record, ownReset(now)), 'reset')
}

/** Turns the user's second step off. Every other session ends. */
export function disableByUser(record: SecondStepRecord): Decision<undefined> {
  return forgotten(forget(record, null), 'disabled')
}

/** What turns the second step off because its last authenticator was removed: the event names it. */
export function namingLast<Answer>(
  decision: Decision<Answer>,
  removed: NamedAuthenticator,
): Decision<Answer> {
  const detail = namedDetail(removed)
  const events = decision.events.map((event) =>
    event.type === 'disabled' ? { ...event, detail } : event,
  )
  return { ...decision, events }
}

/**
 * The record without authenticator, codes of any kind, misses and pause. Every session, pending
 * login and set-up in progress ends (Joomla CVE-2024-21722).
 */
export function forget(record: SecondStepRecord, mustSetUp: MustSetUp | null): SecondStepRecord {
  return {
    ...withoutPause(raiseEpoch(record)),
    authenticators: [],
    setup: null,
    backupCodes: null,
    oneTimeCodes: [],
    attempts: noAttempts,
    mustSetUp,
  }
}

function forgotten(record: SecondStepRecord, type: 'reset' | 'disabled'): Decision<undefined> {
  return { record, answer: undefined, events: [{ type, method: null }] }
}
