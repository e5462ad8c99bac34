import type { ComparedFar } from '../factors/factor.js'
import { type Authenticator, mainFactorOf } from '../factors/factors.js'
import {
  type AttemptCaps,
  addMissesAt,
  attemptCaps,
  type Block,
  blockOf,
  lockEnd,
  missesUntilLock,
  scaleAttempts,
} from './attempts.js'
import type { SecondStepRecord } from './record.js'

/** How many authenticators one user may have. */
export const AUTHENTICATORS_AT_MOST = 10
/** How many of them may make codes: each more makes a guess likelier. */
const WITH_CODES_AT_MOST = 5

type Bound = Pick<SecondStepRecord, 'authenticators'>

/** Whether the user has an authenticator. Backup codes and one-time codes alone don't count. */
export function isEnrolled({ authenticators }: Bound): boolean {
  return authenticators.length > 0
}

/** The authenticator bound first, or null. */
export function firstAuthenticator({ authenticators }: Bound): Authenticator | null {
  return authenticators[0] ?? null
}

/**
 * What a user's codes come from: apps that make them by the time; other devices, such as key fobs; or
 * both. Texts depend on it.
 */
export type CodeSource = 'app' | 'device' | 'several'

export function codeSourceOf({ authenticators }: Bound): CodeSource {
  const isApp = ({ type, serial }: Authenticator) => type === 'totp' && serial === null
  if (authenticators.every(isApp)) return 'app'
  return authenticators.some(isApp) ? 'several' : 'device'
}

/** The lengths of the codes that could be right, in ascending order. */
export function codeLengthsOf({ authenticators }: Bound): readonly number[] {
  return [...new Set(authenticators.map(({ digits }) => digits))].sort()
}

/** Whether two consecutive codes bring a device of the user back into step. */
export function canResync({ authenticators }: Bound): boolean {
  return authenticators.some((kept) => mainFactorOf(kept.type).canResync(kept))
}

/** When the user set up a second step, in milliseconds. Null: they have none. */
export function enrolledSince({ authenticators }: Bound): number | null {
  let first: number | null = null
  for (const { since } of authenticators) if (first === null || since < first) first = since
  return first
}

/**
 * Whole seconds until a device of the user shows an unused code. Null: one shows it now. A code
 * works once, so a user who has just signed in must wait for the next one.
 */
export function secondsToNextCode({ authenticators }: Bound, now: number): number | null {
  const times = authenticators.map((kept) => mainFactorOf(kept.type).nextCodeAt(kept, now))
  const waits = times.filter((time) => time !== null)
  if (waits.length === 0 || waits.length < times.length) return null
  return Math.ceil((Math.min(...waits) - now) / 1000)
}

/** The caps of misses: one budget, whatever the number of authenticators. */
export function capsOf(bound: Bound, window: number, now: number): AttemptCaps {
  const far = comparedFarOf(bound.authenticators, now).map(({ codes }) => codes)
  return attemptCaps(codesAtOnce(bound, window), sumOf(far))
}

/** A user who may miss less often a day is locked by a slip: whoever adds a device is told before. */
const FEW_MISSES_A_DAY = 3

/** How many misses a day lock this user, if these are so few; else null. */
export function fewMissesADay(bound: Bound, window: number): number | null {
  return ifFew(attemptCaps(codesAtOnce(bound, window)).day)
}

/** As above, with one more authenticator of that one of these kinds that leaves the fewest. */
export function fewMissesWithOneMore(
  bound: Bound,
  types: readonly Authenticator['type'][],
  window: number,
): number | null {
  const present = bound.authenticators.length === 0 ? 0 : codesAtOnce(bound, window)
  const addable = types.filter((type) => !hasNoRoom(bound, type))
  if (addable.length === 0) return null
  const added = Math.max(...addable.map((type) => codesOf(type, window)))
  return ifFew(attemptCaps(Math.max(1, present + added)).day)
}

function ifFew(misses: number): number | null {
  return misses < FEW_MISSES_A_DAY ? misses : null
}

/** How many codes are right at one moment, at least one. */
function codesAtOnce({ authenticators }: Bound, window: number): number {
  return Math.max(1, sumOf(authenticators.map(({ type }) => codesOf(type, window))))
}

function codesOf(type: Authenticator['type'], window: number): number {
  const factor = mainFactorOf(type)
  return factor.misses === 'lock' ? factor.codesAtOnce(window) : 0
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0)
}

/** Whether a user may have no further authenticator of this kind. */
export function hasNoRoom({ authenticators }: Bound, type: Authenticator['type']): boolean {
  if (authenticators.length >= AUTHENTICATORS_AT_MOST) return true
  const makesCodes = (one: Authenticator['type']) => mainFactorOf(one).misses === 'lock'
  const withCodes = authenticators.filter((one) => makesCodes(one.type))
  return makesCodes(type) && withCodes.length >= WITH_CODES_AT_MOST
}

/**
 * The record with other authenticators, bound or removed without a new beginning: the misses count on, in
 * proportion to the codes that are right at once now. So does what was compared far ahead for one that goes.
 */
export function withAuthenticators(
  record: SecondStepRecord,
  authenticators: readonly Authenticator[],
  { window, now }: { readonly window: number; readonly now: number },
): SecondStepRecord {
  const after = codesAtOnce({ authenticators }, window)
  const scaled = scaleAttempts(record.attempts, codesAtOnce(record, window) / after)
  const gone = record.authenticators.filter(
    ({ id }) => !authenticators.some((one) => one.id === id),
  )
  // Of their own dates: with later or earlier ones, a guesser would lose or win a part of the month.
  const attempts = comparedFarOf(gone, now).reduce(
    (sum, { missedAt, codes }) => addMissesAt(sum, missedAt, Math.ceil(codes / after), now),
    scaled,
  )
  return { ...record, authenticators, attempts }
}

function comparedFarOf(
  authenticators: readonly Authenticator[],
  now: number,
): readonly ComparedFar[] {
  return authenticators.flatMap((kept) => mainFactorOf(kept.type).comparedFar(kept, now))
}

/** The wait or the lock that blocks this user's authenticators now. */
export function authenticatorBlock(
  record: SecondStepRecord,
  window: number,
  now: number,
): Block | null {
  return hasMissed(record) ? blockOf(record.attempts, capsOf(record, window, now), now) : null
}

/** When the lock of this user's authenticators ends, or null. */
export function authenticatorLock(
  record: SecondStepRecord,
  window: number,
  now: number,
): number | null {
  return hasMissed(record) ? lockEnd(record.attempts, capsOf(record, window, now), now) : null
}

/** How many more wrong codes lock this user's authenticators. 0: they are locked. */
export function missesLeft(record: SecondStepRecord, window: number, now: number): number {
  if (!isEnrolled(record)) return Number.POSITIVE_INFINITY
  return missesUntilLock(record.attempts, capsOf(record, window, now), now)
}

/** Only a miss waits or locks. */
function hasMissed(record: SecondStepRecord): boolean {
  const { misses, consecutive } = record.attempts
  return isEnrolled(record) && (misses.length > 0 || consecutive > 0)
}

/** Without a noted lock that is none: a clock that was ahead has written it. */
export function dropLockAhead(
  record: SecondStepRecord,
  window: number,
  now: number,
): SecondStepRecord {
  const { lockedUntil } = record
  if (lockedUntil === null || lockedUntil <= now) return record
  return authenticatorLock(record, window, now) === null ? noteLock(record, window, now) : record
}

/** Writes the end of the lock into the record, for lists of records by state. */
export function noteLock(record: SecondStepRecord, window: number, now: number): SecondStepRecord {
  const lockedUntil = authenticatorLock(record, window, now)
  return record.lockedUntil === lockedUntil ? record : { ...record, lockedUntil }
}
