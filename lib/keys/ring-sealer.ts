import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { SealContext, Sealer } from '../ports/sealer.js'
import type { System } from '../ports/system.js'
import type { RingKey } from './ring-key.js'

const VERSION = 'v1'
const CIPHER = 'aes-256-gcm'
const NONCE = 12
// Without it Node accepts a tag of 4 bytes, which can be guessed.
const TAG = { authTagLength: 16 }
const BASE64URL = /^[A-Za-z0-9_-]+$/

/** Seals as `v1.<key id>.<nonce>.<ciphertext and tag>`: the first key seals, all keys open. */
export function ringSealer(
  [current, ...older]: readonly [RingKey, ...RingKey[]],
  system: Pick<System, 'random'>,
): Sealer {
  return {
    async seal(secret, context) {
      const nonce = system.random(NONCE)
      const cipher = createCipheriv(CIPHER, current.seal, nonce, TAG)
      cipher.setAAD(boundTo(context))
      const sealed = Buffer.concat([cipher.update(secret), cipher.final(), cipher.getAuthTag()])
      return [VERSION, current.id, base64url(nonce), base64url(sealed)].join('.')
    },

    async open(sealed, context) {
      const { keyId, nonce, ciphertext, tag } = readSealed(sealed)
      const key = current.id === keyId ? current : older.find(({ id }) => id === keyId)
      if (key === undefined) throw unknownKey(keyId)
      const decipher = createDecipheriv(CIPHER, key.seal, nonce, TAG)
      decipher.setAAD(boundTo(context))
      decipher.setAuthTag(tag)
      const secret = Buffer.concat([decipher.update(ciphertext), decipher.final()])
      return { secret, stale: key !== current, keyId: key.id }
    },
  }
}

/** Told to the operator as the cause of the refusal. */
function unknownKey(keyId: string | undefined): Error {
  return new Error(
    `a secret is sealed under key ${keyId}, which is not in \`keys\`: put it back. If another process has it as its first ` +
      'key, every process must have it at the end of its `keys` before any has it first',
  )
}

function readSealed(sealed: string) {
  const parts = sealed.split('.')
  const nonce = bytesOf(parts[2])
  const bytes = bytesOf(parts[3])
  if (parts.length !== 4 || parts[0] !== VERSION || nonce.length !== NONCE) {
    throw new Error('a sealed secret has an unknown form')
  }
  const end = Math.max(0, bytes.length - TAG.authTagLength)
  return {
    keyId: parts[1],
    nonce,
    ciphertext: bytes.subarray(0, end),
    tag: bytes.subarray(end),
  }
}

function bytesOf(text = ''): Buffer {
  if (!BASE64URL.test(text)) throw new Error('a sealed secret has an unknown form')
  return Buffer.from(text, 'base64url')
}

/** JSON keeps the parts apart whatever characters a user id has. */
function boundTo({ purpose, userId, place }: SealContext): Buffer {
  const anywhere = [VERSION, purpose, userId]
  return Buffer.from(JSON.stringify(place === undefined ? anywhere : [...anywhere, place]))
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
