import { count } from '../factors/checks.js'

/** Id of the one authenticator that a record of version 0.1.0 has. */
const FIRST = 'first'

/** Members that version 0.1.0 did not write. An account is not less protected without them. */
const ADDED_LATER = {
  oneTimeCodes: [],
  setupGrant: null,
  mailReset: null,
  ruleStart: null,
  endedUpTo: null,
  endedLogins: [],
  usedChallenges: [],
  trustedBrowsers: [],
}

/** The id of its key. Null: not recorded. */
const ADDED_TO_DIGESTS = { keyId: null }
const ADDED_TO_BACKUP_CODES = { ...ADDED_TO_DIGESTS, seenByAdmin: false }

/** Members that an authenticator app did not have before there were hardware tokens. */
const ADDED_TO_APPS = { serial: null, offset: 0 }

/** A set-up replaced all authenticators, when there was one at most. */
const ADDED_TO_SETUPS = { replaces: 'all' }

/**
 * Converts a record of an earlier version to the present shape. A record of 0.1.0 has one
 * `authenticator`, a set-up without a type, and the time (not the version) at which a stamp ended;
 * an authenticator app of before has neither a serial number nor an offset. This checks nothing
 * and changes nothing else: a present record that has lost a field is damaged, and the lost field
 * may be the one that ended a session.
 *
 * @returns the very object that came in where nothing is to be converted
 */
export function liftRecord(stored: unknown): unknown {
  if (!isObject(stored)) return stored
  return Object.hasOwn(stored, 'authenticator') ? liftedFrom010(stored) : withLaterMembers(stored)
}

function liftedFrom010(stored: object): unknown {
  const { authenticator, ...rest } = stored as { authenticator: unknown }
  return {
    ...ADDED_LATER,
    ...rest,
    ...changed(rest, 'backupCodes', (codes) => completed(codes, ADDED_TO_BACKUP_CODES)),
    ...changed(rest, 'oneTimeCodes', (codes) => each(codes, withKeyId)),
    ...changed(rest, 'mailReset', withKeyId),
    ...changed(rest, 'setup', (setup) => completed(setup, { type: 'totp', ...ADDED_TO_SETUPS })),
    ...changed(rest, 'ended', (ended) => each(ended, (stamp) => endedAt(stamp, rest))),
    authenticators: authenticatorsOf(authenticator, rest),
  }
}

/** Every request reads a record: one that has these members is not copied. */
function withLaterMembers(stored: object): unknown {
  const [list, setup] = [own(stored, 'authenticators'), own(stored, 'setup')]
  const lacksPlace = isObject(setup) && !Object.hasOwn(setup, 'replaces')
  const lacksMembers = Array.isArray(list) && list.some(lacksLaterMembers)
  if (!lacksPlace && !lacksMembers) return stored
  return {
    ...stored,
    ...changed(stored, 'setup', (setup) => completed(setup, ADDED_TO_SETUPS)),
    ...changed(stored, 'authenticators', (list) =>
      each(list, (one) => (lacksLaterMembers(one) ? completed(one, ADDED_TO_APPS) : one)),
    ),
  }
}

function lacksLaterMembers(one: unknown): boolean {
  if (!isObject(one) || own(one, 'type') !== 'totp') return false
  return !Object.hasOwn(one, 'serial') || !Object.hasOwn(one, 'offset')
}

/** Converts this member alone. Empty if it is missing. */
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
  // No version writes both, so nobody knows which one counts, and the record is unreadable.
  if (Object.hasOwn(rest, 'authenticators')) return null
  if (one === null) return []
  // Keeps anything but an object as it is; parsing then refuses it.
  return [
    isObject(one) ? { ...ADDED_TO_APPS, ...one, id: FIRST, name: null, lastUsedAt: null } : one,
  ]
}

/** The present version is the latest possible: any stamp given up to it may be one of them. */
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
