import { count } from '../factors/checks.js'

/** Id of the one authenticator that a record of version 0.1.0 has. */
const FIRST = 'first'

/** What records lack that 0.1.0 has written. Without any of it an account is no more open. */
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
 * Lifts a stored record to the present shape: version 0.1.0 kept one `authenticator`, and a set-up
 * without a type, and noted when a stamp was ended instead of at which version. Nothing is checked here: what is no record stays none.
 *
 * @returns the very object that came in where it has the present shape
 */
export function liftRecord(stored: unknown): unknown {
  if (!isObject(stored)) return stored
  const missing = Object.entries(ADDED_LATER).filter(([key]) => !Object.hasOwn(stored, key))
  const lifted = [
    ...missing,
    ...codesOf(stored),
    ...oneTimeCodesOf(stored),
    ...mailResetOf(stored),
    ...setupOf(stored),
    ...authenticatorsOf(stored),
    ...endedOf(stored),
  ]
  if (lifted.length === 0) return stored
  const { authenticator: _, ...rest } = stored as { authenticator?: unknown }
  return { ...rest, ...Object.fromEntries(lifted) }
}

type Member = readonly [name: string, value: unknown]

function codesOf(stored: object): readonly Member[] {
  const codes = own(stored, 'backupCodes')
  const whole = completed(codes, ADDED_TO_BACKUP_CODES)
  return whole === codes ? [] : [['backupCodes', whole]]
}

function oneTimeCodesOf(stored: object): readonly Member[] {
  const codes = own(stored, 'oneTimeCodes')
  if (!Array.isArray(codes)) return []
  const whole = codes.map((code) => completed(code, ADDED_TO_DIGESTS))
  return whole.every((code, index) => code === codes[index]) ? [] : [['oneTimeCodes', whole]]
}

function mailResetOf(stored: object): readonly Member[] {
  const reset = own(stored, 'mailReset')
  const whole = completed(reset, ADDED_TO_DIGESTS)
  return whole === reset ? [] : [['mailReset', whole]]
}

/** The very value where it lacks nothing, or is no object. */
function completed(value: unknown, defaults: object): unknown {
  if (!isObject(value)) return value
  const whole = Object.keys(defaults).every((key) => Object.hasOwn(value, key))
  return whole ? value : { ...defaults, ...value }
}

function setupOf(stored: object): readonly Member[] {
  const setup = own(stored, 'setup')
  return isObject(setup) && !Object.hasOwn(setup, 'type')
    ? [['setup', { ...setup, type: 'totp' }]]
    : []
}

function authenticatorsOf(stored: object): readonly Member[] {
  if (!Object.hasOwn(stored, 'authenticator')) return []
  // No version has written both: which one counts can't be known, so the record can't be read.
  if (Object.hasOwn(stored, 'authenticators')) return [['authenticators', null]]
  const one = own(stored, 'authenticator')
  if (one === null) return [['authenticators', []]]
  // Anything else than an object is kept as it is, and found unreadable.
  const bound = isObject(one) ? { ...one, id: FIRST, name: null, lastUsedAt: null } : one
  return [['authenticators', [bound]]]
}

/** At the latest it was now: whatever stamp was given until then may be one of them. */
function endedOf(stored: object): readonly Member[] {
  const ended = own(stored, 'ended')
  if (!Array.isArray(ended) || !ended.some(isEndedWithTime)) return []
  const version = own(stored, 'version')
  const lifted = ended.map((stamp: unknown) =>
    isEndedWithTime(stamp) ? { id: own(stamp, 'id'), version } : stamp,
  )
  return [['ended', lifted]]
}

function isEndedWithTime(stamp: unknown): stamp is object {
  return isObject(stamp) && !Object.hasOwn(stamp, 'version') && count(own(stamp, 'at'))
}

function own(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
