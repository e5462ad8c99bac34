import { type ShownOtp, shownOtp } from '../otp/page.js'
import type { OtpParameters } from '../otp/parameters.js'
import type { TotpAuthenticator } from './kept.js'

export interface ShownTotp extends ShownOtp {
  /** Seconds. */
  readonly period: number
}

export function shownTotp(
  secret: Uint8Array,
  parameters: OtpParameters,
  names: { readonly issuer: string; readonly account: string },
): ShownTotp {
  const { period } = parameters
  return { ...shownOtp(secret, parameters, names, { period }), period }
}

/** When the step after the burned one begins, while an authenticator still shows the burned code. */
export function nextTotpAt(
  { lastStep, period, offset }: Pick<TotpAuthenticator, 'lastStep' | 'period' | 'offset'>,
  now: number,
): number | null {
  const next = (lastStep + 1 - offset) * period * 1000
  return now < next ? next : null
}
