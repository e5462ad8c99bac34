import type { OtpParameters } from './parameters.js'

const LONGEST_LABEL = 64
/** Percent-encoded: two names of owls alone would make a QR code that nothing reads, or none. */
const LONGEST_ENCODED = 192
// Control and bidirectional characters change what is shown; a colon ends the issuer in the label.
const NOT_IN_A_LABEL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}:]/gu

/** A name as authenticators can show it: bounded, on one line, without a colon. */
export function labelOf(name: string): string {
  const plain = name.replace(NOT_IN_A_LABEL, ' ').replace(/\s+/g, ' ').trim()
  // Most fit as they are; cutting encodes the label once for each of its characters.
  if (plain.length <= LONGEST_LABEL && encodeURIComponent(plain).length <= LONGEST_ENCODED)
    return plain
  let label = ''
  for (const character of [...plain].slice(0, LONGEST_LABEL)) {
    if (encodeURIComponent(label + character).length > LONGEST_ENCODED) break
    label += character
  }
  return label.trim()
}

/** What moves a device on to its next code: the time, by steps of so many seconds, or its counter. */
export type Moving = { readonly period: number } | { readonly counter: number }

/**
 * The address a QR code holds, in the form that Google Authenticator's "Key URI Format" describes.
 * A space is `%20`, never `+`: some apps show the plus.
 */
export function otpauthUri(
  issuer: string,
  account: string,
  base32Secret: string,
  parameters: Pick<OtpParameters, 'algorithm' | 'digits'> & Moving,
): string {
  const [issuerLabel, accountLabel] = [labelOf(issuer), labelOf(account)].map(encodeURIComponent)
  const [type, moving] =
    'period' in parameters
      ? ['totp', `period=${parameters.period}`]
      : ['hotp', `counter=${parameters.counter}`]
  const query = [
    `secret=${base32Secret}`,
    `issuer=${issuerLabel}`,
    `algorithm=${parameters.algorithm.toUpperCase()}`,
    `digits=${parameters.digits}`,
    moving,
  ]
  return `otpauth://${type}/${issuerLabel}:${accountLabel}?${query.join('&')}`
}
