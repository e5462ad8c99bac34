/** What the key ring's digests have today. Version 0.1.0 kept all 32 bytes of an HMAC-SHA-256. */
const BYTES_OF_A_DIGEST = 16
/** 32 bytes in base64url. */
const CHARACTERS_OF_A_LONG_DIGEST = 43
const LONG_DIGEST = /^[\w-]{43}$/

/** A digest that version 0.1.0 made, as it is made today: its first 128 bits. Any other as it is. */
export function shortDigest(digest: string): string {
  if (!LONG_DIGEST.test(digest)) return digest
  return Buffer.from(digest, 'base64url').subarray(0, BYTES_OF_A_DIGEST).toString('base64url')
}

/** The place of a kept digest, also of version 0.1.0, among those that were made now; or -1. */
export function placeOfDigest(kept: string, digests: readonly string[]): number {
  const same = digests.indexOf(kept)
  if (same >= 0 || kept.length !== CHARACTERS_OF_A_LONG_DIGEST) return same
  return digests.indexOf(shortDigest(kept))
}

export function isDigest(kept: string, digests: readonly string[]): boolean {
  return placeOfDigest(kept, digests) >= 0
}
