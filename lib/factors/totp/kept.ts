import { type Check, count, oneOf, orNull, shape, step, text } from '../checks.js'
import type { Bound } from '../factor.js'

/** Hash of the one-time password (RFC 6238 §1.2). */
export type OtpAlgorithm = 'sha1' | 'sha256' | 'sha512'

/** The parameters that authenticator and server share besides the secret. */
export interface OtpParameters {
  readonly algorithm: OtpAlgorithm
  readonly digits: 6 | 7 | 8
  /** Seconds a code is current for. */
  readonly period: number
}

/** An authenticator app that is bound to the user. */
export interface TotpAuthenticator extends Bound, OtpParameters {
  readonly type: 'totp'
  /** The sealed secret. */
  readonly secret: string
  /** Time step of the last accepted code. Only later ones are accepted (RFC 6238 §5.2). */
  readonly lastStep: number
  /** Steps that its clock was off at the last accepted code. Below zero: behind. */
  readonly offset: number
}

/** The farthest that a clock may be off, in steps: two hours, one second each. */
const OFFSET_AT_MOST = 7200

/** A secret that was shown to the user and is not confirmed yet. */
export interface UnprovenTotp extends OtpParameters {
  readonly type: 'totp'
  /** Sealed, under another purpose than a live secret. */
  readonly secret: string
}

const secretAndParameters: Readonly<Record<string, Check>> = {
  type: oneOf('totp'),
  algorithm: oneOf('sha1', 'sha256', 'sha512'),
  digits: oneOf(6, 7, 8),
  period: (value) => count(value) && value !== 0,
  secret: text,
}

const unproven = shape(secretAndParameters)

const authenticator = shape({
  ...secretAndParameters,
  id: text,
  name: orNull(text),
  since: count,
  lastUsedAt: orNull(count),
  serial: orNull(text),
  lastStep: step,
  offset: (value) => Number.isSafeInteger(value) && Math.abs(Number(value)) <= OFFSET_AT_MOST,
})

export function isTotpAuthenticator(value: unknown): value is TotpAuthenticator {
  return authenticator(value)
}

export function isUnprovenTotp(value: unknown): value is UnprovenTotp {
  return unproven(value)
}
