import { base32Of } from './base32.js'
import { labelOf, type Moving, otpauthUri } from './otpauth-uri.js'
import type { OtpParameters } from './parameters.js'

/** A key as the set-up shows it: the secret leaves the server here and nowhere else. */
export interface ShownOtp {
  readonly issuer: string
  /** Base32 (RFC 4648 §6), without padding. */
  readonly secret: string
  /** `otpauth:` address, for the QR code. */
  readonly uri: string
  /** `SHA1`, `SHA256` or `SHA512`. */
  readonly algorithm: string
  readonly digits: number
}

export function shownOtp(
  secret: Uint8Array,
  { algorithm, digits }: Pick<OtpParameters, 'algorithm' | 'digits'>,
  { issuer, account }: { readonly issuer: string; readonly account: string },
  moving: Moving,
): ShownOtp {
  const key = base32Of(secret)
  return {
    issuer: labelOf(issuer),
    secret: key,
    uri: otpauthUri(issuer, account, key, { algorithm, digits, ...moving }),
    algorithm: algorithm.toUpperCase(),
    digits,
  }
}
