import { createHash } from 'node:crypto'
import type { OtpAlgorithm } from './parameters.js'

/** What HMAC makes a code with. */
export interface OtpKey {
  readonly secret: Uint8Array
  readonly algorithm: OtpAlgorithm
}

const BLOCK: Readonly<Record<OtpAlgorithm, number>> = { sha1: 64, sha256: 64, sha512: 128 }

/**
 * The key as it counts: HMAC fills a shorter key with zeros and hashes a longer one (RFC 2104 §2), so
 * several texts of a seed give the same codes.
 */
export function effectiveKey({ secret, algorithm }: OtpKey): Uint8Array {
  const key =
    secret.length > BLOCK[algorithm] ? createHash(algorithm).update(secret).digest() : secret
  return key.subarray(0, key.findLastIndex((byte) => byte !== 0) + 1)
}

/** Whether both give the same codes, where all else is the same. */
export function isSameKey(one: OtpKey, other: OtpKey): boolean {
  return Buffer.compare(effectiveKey(one), effectiveKey(other)) === 0
}
