import type { ComparedFar } from '../factors/factor.js'
import { type Authenticator, codeFactorOf } from '../factors/factors.js'
import {
  type AttemptCaps,
  addMissesAt,
  attemptCaps,
  type Block,
  blockOf,
  lockEnd,
  missesUntilLock,
  noAttempts,
  scaleAttempts,
} from './attempts.js'
import { hasCodes, hasNoRoom } from './authenticators.js'
import type { SecondStepRecord } from './record.js'

type HasAuthenticators = Pick<SecondStepRecord, 'authenticators'>

/** The caps of misses: one budget, whatever the number of authenticators. */
export function capsOf(bound: HasAuthenticators, window: number, now: number): AttemptCaps {
  const far = comparedFarOf(bound.authenticators, now).map(({ codes }) => codes)
  return attemptCaps(codesAtOnce(bound, window), sumOf(far))
}

/** A user who may miss less often a day is locked by a slip: whoever adds a device is told before. */
export const FEW_MISSES_A_DAY = 3

/** How many misses a day lock this user, if these are so few; else null. */
export function fewMissesADay(bound: HasAuthenticators, window: number): number | null {
  return ifFew(attemptCaps(codesAtOnce(bound, window)).day)
}

/** As above, with one more authenticator of that one of these kinds that leaves the fewest. */
export function fewMissesWithOneMore(
  bound: HasAuthenticators,
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
function codesAtOnce({ authenticators }: HasAuthenticators, window: number): number {
  return Math.max(1, sumOf(authenticators.map(({ type }) => codesOf(type, window))))
}

function codesOf(type: Authenticator['type'], window: number): number {
  return codeFactorOf(type)?.codesAtOnce(window) ?? 0
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0)
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
  // The misses end with the last secret that they were compared with.
  if (!hasCodes({ authenticators })) return { ...record, authenticators, attempts: noAttempts }
  const after = codesAtOnce({ authenticators }, window)
  const scaled = scaleAttempts(record.attempts, { before: codesAtOnce(record, window), after })
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
  return authenticators.flatMap((kept) => codeFactorOf(kept.type)?.comparedFar(kept, now) ?? [])
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
  if (!hasCodes(record)) return Number.POSITIVE_INFINITY
  return missesUntilLock(record.attempts, capsOf(record, window, now), now)
}

/** Only a miss waits or locks. */
function hasMissed(record: SecondStepRecord): boolean {
  const { misses, consecutive } = record.attempts
  return hasCodes(record) && (misses.length > 0 || consecutive > 0)
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
