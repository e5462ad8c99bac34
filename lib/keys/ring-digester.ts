import { createHmac } from 'node:crypto'
import type { DigestContext, Digester } from '../ports/digester.js'
import type { RingKey } from './ring-key.js'

/** HMAC-SHA-256, one digest for each key, the current key's first. */
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
  return createHmac('sha256', key.digest).update(input).digest('base64url')
}
