import { createHash, createHmac } from 'node:crypto'

export const STEP = 30_000

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The 6 digits of a time step (RFC 6238, SHA-1). */
export function codeOfStep(secret: Uint8Array, step: number): string {
  return String(valueOfStep(secret, step) % 1_000_000).padStart(6, '0')
}

/** The 31 bits that the digits are the end of. */
export function valueOfStep(secret: Uint8Array, step: number): number {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const digest = createHmac('sha1', secret).update(counter).digest()
  const offset = (digest.at(-1) ?? 0) & 15
  return digest.readUInt32BE(offset) & 0x7fff_ffff
}

/** The secret of a user in the apps that keep none: the same in every process. */
export function secretOf(userId: string): Buffer {
  return createHash('sha1').update(`secret of ${userId}`).digest()
}

export function fromBase32(text: string): Buffer {
  const bits = [...text.replace(/[=\s]/g, '').toUpperCase()]
    .map((one) => BASE32.indexOf(one).toString(2).padStart(5, '0'))
    .join('')
  const bytes = bits.match(/.{8}/g) ?? []
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)))
}
