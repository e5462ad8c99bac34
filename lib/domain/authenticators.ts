import type { RelyingParty } from '../factors/ceremony.js'
import {
  type Authenticator,
  type CodeAuthenticator,
  codeFactorOf,
  type KeyAuthenticator,
  keyFactorOf,
  showsCodes,
  signsChallenges,
} from '../factors/factors.js'
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

/** The user's authenticators that show codes. */
export function withCodes({ authenticators }: HasAuthenticators): readonly CodeAuthenticator[] {
  return authenticators.filter(showsCodes)
}

/** Whether an authenticator of the user shows codes: only these can be guessed, and lock. */
export function hasCodes({ authenticators }: HasAuthenticators): boolean {
  return authenticators.some(showsCodes)
}

/**
 * The user's authenticators that can answer a challenge of this relying party now. Null: the host has no
 * WebAuthn, so none can.
 */
export function askedKeys(
  { authenticators }: HasAuthenticators,
  relyingParty: Pick<RelyingParty, 'rpId'> | null,
): readonly KeyAuthenticator[] {
  if (relyingParty === null) return []
  return authenticators
    .filter(signsChallenges)
    .filter((one) => keyFactorOf(one.type)?.isAsked(one, relyingParty))
}

/** The user's authenticators that work, but for a lock: those that show codes, and the keys that are asked. */
export function workingAuthenticators(
  bound: HasAuthenticators,
  relyingParty: Pick<RelyingParty, 'rpId'> | null,
): readonly Authenticator[] {
  return [...withCodes(bound), ...askedKeys(bound, relyingParty)]
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

export function codeSourceOf(bound: HasAuthenticators): CodeSource {
  const sources = withCodes(bound)
  // Keys alone: what is said of apps does not fit them.
  if (sources.length === 0 && isEnrolled(bound)) return 'device'
  const isApp = ({ type, serial }: CodeAuthenticator) => type === 'totp' && serial === null
  if (sources.every(isApp)) return 'app'
  return sources.some(isApp) ? 'several' : 'device'
}

/** The lengths of the codes that could be right, in ascending order. */
export function codeLengthsOf(bound: HasAuthenticators): readonly number[] {
  return [...new Set(withCodes(bound).map(({ digits }) => digits))].sort()
}

/** Whether two consecutive codes bring a device of the user back into step. */
export function canResync({ authenticators }: HasAuthenticators): boolean {
  return authenticators.some((kept) => codeFactorOf(kept.type)?.canResync(kept) ?? false)
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
  // Somebody who can touch a key need not wait.
  const times = authenticators.map((kept) => codeFactorOf(kept.type)?.nextCodeAt(kept, now) ?? null)
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
  const codes = authenticators.filter(showsCodes).length
  return codeFactorOf(type) !== null && codes >= WITH_CODES_AT_MOST
}
