import { count, flag, listOf, oneOf, orNull, recordOf, shape, text } from '../factors/checks.js'
import { liftRecord } from './lift-record.js'
import type { Policy } from './policy.js'
import type { SecondStepRecord } from './record.js'
import { wasDecoded } from './record-bytes.js'
import { isRecord } from './record-shape.js'

const mode = oneOf('off', 'optional', 'required')

/** A method that this version does not know is accepted by nobody: its rule stays as strict. */
const accepts = recordOf(listOf(text))

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
export class BrokenRecordError extends Error {
  static override readonly name: string = 'BrokenRecordError'
}

/**
 * Parses a store's answer as a record. An unreadable record counts as "on and broken", never as
 * "off": one missing field must not open an account.
 *
 * @throws BrokenRecordError when it is no record, or another user's
 */
export function parseRecord(value: unknown, userId: string): SecondStepRecord {
  // What was decoded has the shape; to look at it again would read what is read later, if at all.
  const record = wasDecoded(value) ? value : (liftRecord(value) as SecondStepRecord)
  const isWhole = wasDecoded(value) || isRecord(record)
  if (isWhole && record.userId === userId) return record
  throw new BrokenRecordError('the stored record of a user cannot be read')
}

/** Policies that were found whole and cannot change any more, by what a store has answered. */
const whole = new WeakMap<object, Policy>()

/** @throws Error when what a store answered is no policy document */
export function parsePolicy(value: unknown): Policy {
  const known = typeof value === 'object' && value !== null ? whole.get(value) : undefined
  if (known !== undefined) return known
  if (!isPolicy(value)) throw new Error('the stored policy cannot be read')
  const stored = value as Policy
  // Documents of earlier versions have no such rules.
  const policy = Object.hasOwn(stored, 'accepts') ? stored : { ...stored, accepts: {} }
  if (!accepts(policy.accepts)) throw new Error('the stored policy cannot be read')
  // A store may hand out the same object at every read.
  if (isFrozen(value)) whole.set(stored, policy)
  return policy
}

/** With everything in it. */
function isFrozen(value: unknown): boolean {
  return (
    Object.isFrozen(value) &&
    Object.values(Object(value)).every((one) => !isObject(one) || isFrozen(one))
  )
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
