import { isBackupCodeSet } from '../factors/backup-codes/kept.js'
import { count, flag, listOf, oneOf, orNull, recordOf, shape, text } from '../factors/checks.js'
import { isAuthenticator, isUnproven } from '../factors/factors.js'
import { isOneTimeCodes } from '../factors/one-time-codes/kept.js'
import { AUTHENTICATORS_AT_MOST } from './authenticators.js'
import { liftRecord } from './lift-record.js'
import { ENDED_LOGINS_AT_MOST } from './pending-login.js'
import type { Policy } from './policy.js'
import type { SecondStepRecord } from './record.js'
import { ENDED_AT_MOST } from './stamp.js'

const setupInProgress = shape({ owner: text, startedAt: count, misses: count })

function isEndedStamp(value: unknown): boolean {
  if (!shape({ id: text, version: count })(value)) return false
  const { goodFrom = 0 } = value as { goodFrom?: unknown }
  return count(goodFrom)
}

const isRecord = shape({
  userId: text,
  version: count,
  writeId: text,
  epoch: count,
  authenticators: listOf(isAuthenticator, AUTHENTICATORS_AT_MOST),
  setup: orNull((value) => isUnproven(value) && setupInProgress(value)),
  mustSetUp: orNull(shape({ until: count })),
  backupCodes: orNull(isBackupCodeSet),
  oneTimeCodes: isOneTimeCodes,
  setupGrant: orNull(shape({ owner: text, until: count })),
  mailReset: orNull(
    shape({
      id: text,
      keyId: orNull(text),
      addressDigest: text,
      digests: listOf(text),
      askedAt: count,
      usableAt: count,
      expiresAt: count,
      readyTold: flag,
      ip: orNull(text),
      userAgent: orNull(text),
    }),
  ),
  attempts: shape({ misses: listOf(count), consecutive: count }),
  lockedUntil: orNull(count),
  pausedUntil: orNull(count),
  ruleStart: orNull(count),
  passwordChangedAt: orNull(count),
  ended: listOf(isEndedStamp, ENDED_AT_MOST),
  endedUpTo: orNull(count),
  endedLogins: listOf(shape({ id: text, until: count }), ENDED_LOGINS_AT_MOST),
})

const mode = oneOf('off', 'optional', 'required')

const isPolicy = shape({
  version: count,
  writeId: text,
  mode,
  roles: recordOf(mode),
  graceDays: (value) => count(value) && Number(value) <= 365,
  requiredSince: shape({ general: orNull(count), roles: recordOf(count) }),
  codeAttempts: (value) => count(value) && Number(value) >= 3 && Number(value) <= 10,
  passwordAttempts: (value) => count(value) && Number(value) >= 3 && Number(value) <= 20,
  backupCodes: flag,
  updatedAt: orNull(count),
  updatedBy: orNull(
    shape({ kind: oneOf('user', 'admin', 'operator', 'system'), id: orNull(text) }),
  ),
})

/** The store's answer is not a record of that user. */
export class BrokenRecordError extends Error {}

/**
 * Parses a store's answer as a record. An unreadable record counts as "on and broken", never as
 * "off": one missing field must not open an account.
 *
 * @throws BrokenRecordError when it is no record, or another user's
 */
export function parseRecord(value: unknown, userId: string): SecondStepRecord {
  const record = liftRecord(value) as SecondStepRecord
  if (isRecord(record) && record.userId === userId) return record
  throw new BrokenRecordError('the stored record of a user cannot be read')
}

/** @throws Error when what a store answered is no policy document */
export function parsePolicy(value: unknown): Policy {
  if (isPolicy(value)) return value as Policy
  throw new Error('the stored policy cannot be read')
}
