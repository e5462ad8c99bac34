import type { Policy } from './policy.js'
import type { SecondStepRecord } from './record.js'

type Check = (value: unknown) => boolean

const text: Check = (value) => typeof value === 'string'
const flag: Check = (value) => typeof value === 'boolean'
const count: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0
const step: Check = (value) => Number.isSafeInteger(value) && Number(value) >= -1
const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value)
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check)
const shape =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(checks).every(
      ([key, check]) => Object.hasOwn(value, key) && check(Reflect.get(value, key)),
    )

const recordOf =
  (check: Check): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    Object.values(value).every(check)

const otpParameters = {
  algorithm: oneOf('sha1', 'sha256', 'sha512'),
  digits: oneOf(6, 7, 8),
  period: (value: unknown) => count(value) && value !== 0,
}

const isRecord = shape({
  userId: text,
  version: count,
  writeId: text,
  epoch: count,
  authenticator: orNull(
    shape({ ...otpParameters, type: oneOf('totp'), secret: text, lastStep: step, since: count }),
  ),
  setup: orNull(
    shape({ ...otpParameters, owner: text, secret: text, startedAt: count, misses: count }),
  ),
  mustSetUp: orNull(shape({ until: count })),
  backupCodes: orNull(
    shape({
      id: text,
      codes: listOf(shape({ digest: text, usedAt: orNull(count) })),
      createdAt: count,
      saved: flag,
      seenByAdmin: flag,
    }),
  ),
  oneTimeCodes: listOf(shape({ id: text, digest: text, expiresAt: count, usedAt: orNull(count) })),
  setupGrant: orNull(shape({ owner: text, until: count })),
  mailReset: orNull(
    shape({
      id: text,
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
  ended: listOf(shape({ id: text, at: count })),
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

/** What records lack that version 0.1.0 has written. Without any of it an account is no more open. */
const ADDED_LATER = { oneTimeCodes: [], setupGrant: null, mailReset: null, ruleStart: null }

function completed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const codes: unknown = Reflect.get(value, 'backupCodes')
  const oldCodes =
    typeof codes === 'object' && codes !== null && !Object.hasOwn(codes, 'seenByAdmin')
  const whole = Object.keys(ADDED_LATER).every((key) => Object.hasOwn(value, key)) && !oldCodes
  if (whole) return value
  const backupCodes = oldCodes ? { backupCodes: { ...codes, seenByAdmin: false } } : {}
  return { ...ADDED_LATER, ...value, ...backupCodes }
}

/** What a store answered is no record of that user's. */
export class BrokenRecordError extends Error {}

/**
 * What a store answered, as the record it must be. A record that cannot be read is "on and broken",
 * never "off": one missing field must not open an account.
 *
 * @throws BrokenRecordError when it is no record, or another user's
 */
export function parseRecord(value: unknown, userId: string): SecondStepRecord {
  const record = completed(value) as SecondStepRecord
  if (isRecord(record) && record.userId === userId) return record
  throw new BrokenRecordError('the stored record of a user cannot be read')
}

/** @throws Error when what a store answered is no policy document */
export function parsePolicy(value: unknown): Policy {
  if (isPolicy(value)) return value as Policy
  throw new Error('the stored policy cannot be read')
}
