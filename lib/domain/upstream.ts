import { isGoodUntil } from '../factors/clock.js'
import { acceptedOf } from './accepted-methods.js'
import { isEnrolled } from './authenticators.js'
import { openMailReset } from './mail-reset.js'
import type { Policy, Subject } from './policy.js'
import type { SecondStepRecord } from './record.js'

/** An authentication at a sign-in provider, as the provider tells it. */
export interface UpstreamAuthentication {
  readonly issuer: string
  readonly amr: readonly string[]
  readonly acr: string | null
  /** When it took place, in milliseconds. */
  readonly at: number
}

/** What is believed of one issuer. */
export interface Belief {
  readonly issuer: string
  /** One of these methods is enough. Null: any, or none. */
  readonly amr: readonly string[] | null
  /** One of these classes. Null: any, or none. */
  readonly acr: readonly string[] | null
  /** Milliseconds for which an authentication counts. */
  readonly maxAge: number
}

/**
 * Judges by the beliefs. One of them must hold in full: its issuer, what it names of `amr` and `acr`, and the age.
 *
 * @returns the methods that are believed, none where a class alone is; null: nothing is believed
 */
export function believedMethods(
  { issuer, amr, acr, at }: UpstreamAuthentication,
  beliefs: readonly Belief[],
  now: number,
): readonly string[] | null {
  const held = beliefs.filter(
    (belief) =>
      holds(belief, { issuer, amr, acr }) && isGoodUntil(at + belief.maxAge, belief.maxAge, now),
  )
  if (held.length === 0) return null
  const listed = new Set(held.flatMap((belief) => belief.amr ?? []))
  return [...listed].filter((method) => amr.includes(method))
}

/** What a session that rests on a provider keeps of it. Older sessions have no issuer. */
type KeptAuthentication = Partial<Pick<UpstreamAuthentication, 'issuer' | 'amr' | 'acr'>>

/** Whether a provider is still believed, whose word was believed at the login. The session may be older than `maxAge`. */
export function isStillBelieved(
  { issuer, amr = [], acr = null }: KeptAuthentication,
  beliefs: readonly Belief[],
): boolean {
  return issuer !== undefined && beliefs.some((belief) => holds(belief, { issuer, amr, acr }))
}

function holds(
  belief: Belief,
  { issuer, amr, acr }: Pick<UpstreamAuthentication, 'issuer' | 'amr' | 'acr'>,
): boolean {
  return (
    belief.issuer === issuer &&
    (belief.amr === null || belief.amr.some((method) => amr.includes(method))) &&
    (belief.acr === null || (acr !== null && belief.acr.includes(acr)))
  )
}

/**
 * Whether a second step passed upstream is enough for this user. Not after a reset: somebody found the
 * user's second step lost or untrustworthy, so they set up another one first.
 */
export function countsUpstream(record: SecondStepRecord): boolean {
  return isEnrolled(record) || record.mustSetUp === null
}

/**
 * The same at a login. A rule that says what counts names no provider, and a reset by mail that waits is seen at the
 * challenge alone, where a code ends it.
 */
export function countsUpstreamAtLogin(
  { record, policy, subject }: { record: SecondStepRecord; policy: Policy; subject: Subject },
  now: number,
): boolean {
  if (acceptedOf(policy, subject) !== null || openMailReset(record, now) !== null) return false
  return countsUpstream(record)
}
