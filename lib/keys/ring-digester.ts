import { createHmac } from 'node:crypto'
import type { DigestContext, Digester } from '../ports/digester.js'
import type { RingKey } from './ring-key.js'

const BYTES_OF_A_DIGEST = 16

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
  return createHmac('sha256', key.digest)
    .update(input)
    .digest()
    .subarray(0, BYTES_OF_A_DIGEST)
    .toString('base64url')
}
