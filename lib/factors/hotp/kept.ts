import { count, listOf, shape } from '../checks.js'
import type { Bound } from '../factor.js'
import { boundChecks, unprovenChecks } from '../otp/kept.js'
import type { OtpParameters } from '../otp/parameters.js'
import { FAR_MISSES_AT_MOST } from './far.js'

/** The parameters that device and server share besides the secret and the counter. */
export type HotpParameters = Pick<OtpParameters, 'algorithm' | 'digits'>

/** A device that counts its codes: a key fob, or an app with a button. */
export interface HotpAuthenticator extends Bound, HotpParameters {
  readonly type: 'hotp'
  /** The sealed secret. */
  readonly secret: string
  /** Counter of the next code. It only moves forward (RFC 4226 §7.2). */
  readonly counter: number
  /**
   * When wrong codes were compared with the many codes of a device that is not proved yet. 0: none was, and
   * none is going to be.
   */
  readonly farMisses: readonly number[]
}

/** A secret that was shown to the user and is not confirmed yet. Its counter begins at 0. */
export interface UnprovenHotp extends HotpParameters {
  readonly type: 'hotp'
  /** Sealed, under another purpose than a live secret. */
  readonly secret: string
}

const unproven = shape(unprovenChecks('hotp'))

const authenticator = shape({
  ...boundChecks('hotp'),
  counter: count,
  farMisses: listOf(count, FAR_MISSES_AT_MOST),
})

export function isHotpAuthenticator(value: unknown): value is HotpAuthenticator {
  return authenticator(value)
}

export function isUnprovenHotp(value: unknown): value is UnprovenHotp {
  return unproven(value)
}
