import { createHmac } from 'node:crypto'
import type { DigestContext, Digester } from '../ports/digester.js'
import type { RingKey } from './ring-key.js'

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** Of 128 bits. */
const WHOLE_CHARACTERS = 21

/** HMAC-SHA-256, cut to 128 bits (RFC 2104 §5): one digest for each key, the current key's first. */
export function ringDigester([current, ...older]: readonly [RingKey, ...RingKey[]]): Digester {
  return {
    keyIds: [current.id, ...older.map(({ id }) => id)],
    digests: async (code, context) => [
      digest(current, code, context),
      ...older.map((key) => digest(key, code, context)),
    ],
  }
}

/** JSON keeps the parts apart whatever characters a user id has. */
function digest(key: RingKey, code: string, { purpose, userId, setId }: DigestContext): string {
  const input = JSON.stringify([purpose, userId, setId, code])
  return first128Bits(createHmac('sha256', key.digest).update(input).digest('base64url'))
}

/** As text, because the bytes would have to be made text again: that takes as long as half an HMAC. */
function first128Bits(base64url: string): string {
  // The last two bits, of the six that the 22nd character stands for.
  const last = BASE64URL.indexOf(base64url.charAt(WHOLE_CHARACTERS)) & 0b110000
  return base64url.slice(0, WHOLE_CHARACTERS) + BASE64URL.charAt(last)
}
