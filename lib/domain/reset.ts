import { noAttempts } from './attempts.js'
import type { Decision } from './decision.js'
import type { SecondStepRecord } from './record.js'
import { raiseEpoch } from './stamp.js'
import { DAY_MS } from './units.js'

/** The trace of a reset: until this time, the next login leads to the set-up. */
export interface MustSetUp {
  /** Milliseconds. */
  readonly until: number
}

/** How long the password alone leads to the set-up after the user's own reset, in milliseconds. */
export const OWN_RESET_LASTS = DAY_MS

/**
 * The user's own reset: deletes authenticator and codes, and ends every session. The user must set
 * up again at the next login, within a day, because until then the password alone leads to the
 * set-up.
 */
export function resetByUser(record: SecondStepRecord, now: number): Decision<undefined> {
  const mustSetUp = { until: now + OWN_RESET_LASTS }
  return forgotten(forget(record, mustSetUp), 'reset')
}

/** Turns the user's second step off. Every other session ends. */
export function disableByUser(record: SecondStepRecord): Decision<undefined> {
  return forgotten(forget(record, null), 'disabled')
}

/**
 * The record without authenticator, codes of any kind, misses and pause. Every session, pending
 * login and set-up in progress ends (Joomla CVE-2024-21722).
 */
export function forget(record: SecondStepRecord, mustSetUp: MustSetUp | null): SecondStepRecord {
  return {
    ...raiseEpoch(record),
    authenticators: [],
    setup: null,
    backupCodes: null,
    oneTimeCodes: [],
    attempts: noAttempts,
    pausedUntil: null,
    mustSetUp,
  }
}

function forgotten(record: SecondStepRecord, type: 'reset' | 'disabled'): Decision<undefined> {
  return { record, answer: undefined, events: [{ type, method: null }] }
}
