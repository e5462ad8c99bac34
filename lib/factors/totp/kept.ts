import { type Check, count, shape, step } from '../checks.js'
import type { Bound } from '../factor.js'
import { boundChecks, unprovenChecks } from '../otp/kept.js'
import type { OtpParameters } from '../otp/parameters.js'

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

const period: Check = (value) => count(value) && value !== 0

const unproven = shape({ ...unprovenChecks('totp'), period })

const authenticator = shape({
  ...boundChecks('totp'),
  period,
  lastStep: step,
  offset: (value) => Number.isSafeInteger(value) && Math.abs(Number(value)) <= OFFSET_AT_MOST,
})

export function isTotpAuthenticator(value: unknown): value is TotpAuthenticator {
  return authenticator(value)
}

export function isUnprovenTotp(value: unknown): value is UnprovenTotp {
  return unproven(value)
}
