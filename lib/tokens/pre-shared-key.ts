const HEX = /^(?:[0-9a-f]{32}|[0-9a-f]{64})$/i
const BYTES = [16, 32]

/** A key of AES-128 or AES-256, in hex or base64, or null. */
export function readPreSharedKey(text: string): Uint8Array | null {
  const plain = text.replace(/^\ufeff/, '').trim()
  if (HEX.test(plain)) return Buffer.from(plain, 'hex')
  const bytes = Buffer.from(plain, 'base64')
  return bytes.toString('base64') === plain && BYTES.includes(bytes.length) ? bytes : null
}
