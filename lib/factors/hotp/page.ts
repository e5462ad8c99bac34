import { base32Of } from '../base32.js'
import { labelOf, otpauthUri } from '../totp/provisioning-uri.js'
import type { HotpParameters } from './kept.js'

/** A key as the set-up shows it: the secret leaves the server here and nowhere else. */
export interface ShownHotp {
  readonly issuer: string
  /** Base32 (RFC 4648 §6), without padding. */
  readonly secret: string
  /** `otpauth:` address, for the QR code. */
  readonly uri: string
  /** `SHA1`, `SHA256` or `SHA512`. */
  readonly algorithm: string
  readonly digits: number
  /** Its codes depend on no time. */
  readonly period: null
}

/** @param counter of the device's next code */
export function shownHotp(
  secret: Uint8Array,
  { algorithm, digits, counter }: HotpParameters & { readonly counter: number },
  { issuer, account }: { readonly issuer: string; readonly account: string },
): ShownHotp {
  const key = base32Of(secret)
  const parameters = [
    `secret=${key}`,
    `issuer=${encodeURIComponent(labelOf(issuer))}`,
    `algorithm=${algorithm.toUpperCase()}`,
    `digits=${digits}`,
    `counter=${counter}`,
  ]
  return {
    issuer: labelOf(issuer),
    secret: key,
    uri: otpauthUri('hotp', issuer, account, parameters),
    algorithm: algorithm.toUpperCase(),
    digits,
    period: null,
  }
}
