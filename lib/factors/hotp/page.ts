import { type ShownOtp, shownOtp } from '../otp/page.js'
import type { HotpParameters } from './kept.js'

export interface ShownHotp extends ShownOtp {
  /** Its codes depend on no time. */
  readonly period: null
}

/** @param counter of the device's next code */
export function shownHotp(
  secret: Uint8Array,
  parameters: HotpParameters & { readonly counter: number },
  names: { readonly issuer: string; readonly account: string },
): ShownHotp {
  const { counter } = parameters
  return { ...shownOtp(secret, parameters, names, { counter }), period: null }
}
