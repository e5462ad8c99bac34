/** Hash of the one-time password (RFC 6238 §1.2). */
export type OtpAlgorithm = 'sha1' | 'sha256' | 'sha512'

/** The parameters that authenticator and server share besides the secret. */
export interface OtpParameters {
  readonly algorithm: OtpAlgorithm
  readonly digits: 6 | 7 | 8
  /** Seconds a code is current for. */
  readonly period: number
}
