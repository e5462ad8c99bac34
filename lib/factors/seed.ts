const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
// What people and vendors group a seed with.
const BETWEEN_GROUPS = /[\s-]/g
const HEX = /^(?:[0-9A-F]{2})+$/
const BASE32 = /^([A-Z2-7]+)={0,6}$/

/**
 * The bytes of a token's seed, which is written in hex or in base32 (RFC 4648 §6).
 *
 * Text that could be both is hex: of 128 bits in base32, one in 10^11 has hex digits alone, but
 * one hex seed of 128 bits in 10,000 has no 0, 1, 8 or 9.
 *
 * @returns null for other characters, or a length that no number of bytes has
 */
export function readSeed(text: string): Uint8Array | null {
  const plain = text.replace(BETWEEN_GROUPS, '').toUpperCase()
  if (HEX.test(plain)) return Uint8Array.from(Buffer.from(plain, 'hex'))
  const digits = BASE32.exec(plain)?.[1]
  return digits === undefined ? null : fromBase32(digits)
}

function fromBase32(digits: string): Uint8Array | null {
  const bytes = new Uint8Array(Math.floor((digits.length * 5) / 8))
  let [held, bits, length] = [0, 0, 0]
  for (const digit of digits) {
    held = (held << 5) | ALPHABET.indexOf(digit)
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[length] = held >> bits
    length += 1
    held &= (1 << bits) - 1
  }
  // Bits of a byte that did not come: the text was cut short.
  return bits < 5 && held === 0 ? bytes : null
}
