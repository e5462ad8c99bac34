import { ScureBase32Plugin } from 'otplib'

const base32 = new ScureBase32Plugin()

/** A secret as it is shown and as `otpauth:` addresses carry it (RFC 4648 §6, no padding). */
export function base32Of(secret: Uint8Array): string {
  return base32.encode(secret, { padding: false })
}
