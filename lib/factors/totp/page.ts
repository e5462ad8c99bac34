import { base32Of } from '../base32.js'
import type { OtpParameters, TotpAuthenticator } from './kept.js'
import { labelOf, provisioningUri } from './provisioning-uri.js'

/** A key as the set-up shows it: the secret leaves the server here and nowhere else. */
export interface ShownTotp {
  readonly issuer: string
  /** Base32 (RFC 4648 §6), without padding. */
  readonly secret: string
  /** `otpauth:` address, for the QR code. */
  readonly uri: string
  /** `SHA1`, `SHA256` or `SHA512`. */
  readonly algorithm: string
  readonly digits: number
  /** Seconds. */
  readonly period: number
}

export function shownTotp(
  secret: Uint8Array,
  parameters: OtpParameters,
  { issuer, account }: { readonly issuer: string; readonly account: string },
): ShownTotp {
  const key = base32Of(secret)
  return {
    issuer: labelOf(issuer),
    secret: key,
    uri: provisioningUri(issuer, account, key, parameters),
    algorithm: parameters.algorithm.toUpperCase(),
    digits: parameters.digits,
    period: parameters.period,
  }
}

/** When the step after the burned one begins, while an authenticator still shows the burned code. */
export function nextTotpAt(
  { lastStep, period, offset }: Pick<TotpAuthenticator, 'lastStep' | 'period' | 'offset'>,
  now: number,
): number | null {
  const next = (lastStep + 1 - offset) * period * 1000
  return now < next ? next : null
}
