import { hkdfSync } from 'node:crypto'

/** One key of the ring, as the keys derived from it: none serves two uses (NIST SP 800-108). */
export interface RingKey {
  /** Names the key beside each sealed secret, and reveals nothing about it. */
  readonly id: string
  readonly seal: Buffer
  readonly digest: Buffer
}

export function ringKey(key: Buffer): RingKey {
  return {
    id: derive(key, 'key-id', 6).toString('base64url'),
    seal: derive(key, 'seal', 32),
    digest: derive(key, 'digest', 32),
  }
}

/** HKDF-SHA-256 (RFC 5869). No salt: the keys are uniformly random already (§3.1). */
function derive(key: Buffer, use: string, size: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `passport-second-step/v1/${use}`, size))
}
