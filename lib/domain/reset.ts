import { noAttempts } from './attempts.js'
import type { Decision } from './decision.js'
import type { SecondStepRecord } from './record.js'
import { raiseEpoch } from './stamp.js'

/** What a reset leaves behind: the next login leads to the set-up, until this time. */
export interface MustSetUp {
  /** Milliseconds. */
  readonly until: number
}

const OWN_RESET_LASTS = 24 * 60 * 60 * 1000

/**
 * The user forgets authenticator and codes and must set up again at the next login. Every session
 * ends. A day, because until then the password alone leads to the set-up.
 */
export function resetByUser(record: SecondStepRecord, now: number): Decision<undefined> {
  return forget(record, { until: now + OWN_RESET_LASTS }, 'reset')
}

/** The user goes back to the first step alone. Every other session ends. */
export function disableByUser(record: SecondStepRecord): Decision<undefined> {
  return forget(record, null, 'disabled')
}

function forget(
  record: SecondStepRecord,
  mustSetUp: MustSetUp | null,
  type: 'reset' | 'disabled',
): Decision<undefined> {
  const forgotten: SecondStepRecord = {
    ...raiseEpoch(record),
    authenticator: null,
    setup: null,
    backupCodes: null,
    attempts: noAttempts,
    mustSetUp,
  }
  return { record: forgotten, answer: undefined, events: [{ type, method: null }] }
}
