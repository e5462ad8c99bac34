import { count } from '../factors/checks.js'

/** Id of the one authenticator that a record of version 0.1.0 has. */
const FIRST = 'first'

/** What 0.1.0, or a build before it, did not write. Without any of it an account is no more open. */
const ADDED_LATER = {
  oneTimeCodes: [],
  setupGrant: null,
  mailReset: null,
  ruleStart: null,
  endedUpTo: null,
  endedLogins: [],
}

/** Under which key it was made; null: not noted. */
const ADDED_TO_DIGESTS = { keyId: null }
const ADDED_TO_BACKUP_CODES = { ...ADDED_TO_DIGESTS, seenByAdmin: false }

/**
 * Lifts a record of version 0.1.0 to the present shape: it has one `authenticator`, a set-up without a
 * type, and notes when a stamp was ended instead of at which version. Nothing is checked here: what is
 * no record stays none. Nothing else is lifted: a record of now that has lost a field is damaged, and
 * what it has lost may be the very thing that ended a session.
 *
 * @returns the very object that came in where it is not of 0.1.0
 */
export function liftRecord(stored: unknown): unknown {
  if (!isObject(stored) || !Object.hasOwn(stored, 'authenticator')) return stored
  const { authenticator, ...rest } = stored as { authenticator: unknown }
  return {
    ...ADDED_LATER,
    ...rest,
    ...changed(rest, 'backupCodes', (codes) => completed(codes, ADDED_TO_BACKUP_CODES)),
    ...changed(rest, 'oneTimeCodes', (codes) => each(codes, withKeyId)),
    ...changed(rest, 'mailReset', withKeyId),
    ...changed(rest, 'setup', (setup) => completed(setup, { type: 'totp' })),
    ...changed(rest, 'ended', (ended) => each(ended, (stamp) => endedAt(stamp, rest))),
    authenticators: authenticatorsOf(authenticator, rest),
  }
}

/** That member alone, lifted; nothing where there is none. */
function changed(record: object, key: string, lift: (value: unknown) => unknown): object {
  return Object.hasOwn(record, key) ? { [key]: lift(own(record, key)) } : {}
}

function each(values: unknown, lift: (value: unknown) => unknown): unknown {
  return Array.isArray(values) ? values.map(lift) : values
}

function completed(value: unknown, defaults: object): unknown {
  return isObject(value) ? { ...defaults, ...value } : value
}

function withKeyId(value: unknown): unknown {
  return completed(value, ADDED_TO_DIGESTS)
}

function authenticatorsOf(one: unknown, rest: object): unknown {
  // No version has written both: which one counts can't be known, so the record can't be read.
  if (Object.hasOwn(rest, 'authenticators')) return null
  if (one === null) return []
  // Anything else than an object is kept as it is, and found unreadable.
  return [isObject(one) ? { ...one, id: FIRST, name: null, lastUsedAt: null } : one]
}

/** At the latest it was now: whatever stamp was given until then may be one of them. */
function endedAt(stamp: unknown, record: object): unknown {
  if (!isObject(stamp) || Object.hasOwn(stamp, 'version') || !count(own(stamp, 'at'))) return stamp
  return { id: own(stamp, 'id'), version: own(record, 'version') }
}

function own(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
