import { type Authenticator, mainFactorOf } from '../factors/factors.js'
import type { SecondStepRecord } from './record.js'

/** How many authenticators one user may have. */
export const AUTHENTICATORS_AT_MOST = 10
/** How many of them may make codes: each more makes a guess likelier. */
const WITH_CODES_AT_MOST = 5

type HasAuthenticators = Pick<SecondStepRecord, 'authenticators'>

/** Whether the user has an authenticator. Backup codes and one-time codes alone don't count. */
export function isEnrolled({ authenticators }: HasAuthenticators): boolean {
  return authenticators.length > 0
}

/** The authenticator bound first, or null. */
export function firstAuthenticator({ authenticators }: HasAuthenticators): Authenticator | null {
  return authenticators[0] ?? null
}

/**
 * What a user's codes come from: apps that make them by the time; other devices, such as key fobs; or
 * both. Texts depend on it.
 */
export type CodeSource = 'app' | 'device' | 'several'

export function codeSourceOf({ authenticators }: HasAuthenticators): CodeSource {
  const isApp = ({ type, serial }: Authenticator) => type === 'totp' && serial === null
  if (authenticators.every(isApp)) return 'app'
  return authenticators.some(isApp) ? 'several' : 'device'
}

/** The lengths of the codes that could be right, in ascending order. */
export function codeLengthsOf({ authenticators }: HasAuthenticators): readonly number[] {
  return [...new Set(authenticators.map(({ digits }) => digits))].sort()
}

/** Whether two consecutive codes bring a device of the user back into step. */
export function canResync({ authenticators }: HasAuthenticators): boolean {
  return authenticators.some((kept) => mainFactorOf(kept.type).canResync(kept))
}

/** When the user set up a second step, in milliseconds. Null: they have none. */
export function enrolledSince({ authenticators }: HasAuthenticators): number | null {
  let first: number | null = null
  for (const { since } of authenticators) if (first === null || since < first) first = since
  return first
}

/**
 * Whole seconds until a device of the user shows an unused code. Null: one shows it now. A code
 * works once, so a user who has just signed in must wait for the next one.
 */
export function secondsToNextCode(
  { authenticators }: HasAuthenticators,
  now: number,
): number | null {
  const times = authenticators.map((kept) => mainFactorOf(kept.type).nextCodeAt(kept, now))
  const waits = times.filter((time) => time !== null)
  if (waits.length === 0 || waits.length < times.length) return null
  return Math.ceil((Math.min(...waits) - now) / 1000)
}

/** Whether a user may have no further authenticator of this kind. */
export function hasNoRoom(
  { authenticators }: HasAuthenticators,
  type: Authenticator['type'],
): boolean {
  if (authenticators.length >= AUTHENTICATORS_AT_MOST) return true
  const makesCodes = (one: Authenticator['type']) => mainFactorOf(one).misses === 'lock'
  const withCodes = authenticators.filter((one) => makesCodes(one.type))
  return makesCodes(type) && withCodes.length >= WITH_CODES_AT_MOST
}
