import { ConfigurationError } from '../errors/configuration-error.js'

/** The key that the README shows: base64 of a sentence that everybody can read. */
export const EXAMPLE_KEY = 'dGhpcy1pcy10aGUtUkVBRE1FLWV4YW1wbGUta2V5ISE='

const SIZE = 32
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/

/**
 * Reads the host's keys, the current one first.
 *
 * @param keys base64 or base64url, 32 random bytes each
 * @throws ConfigurationError naming the key and the fix; never shows the key itself
 */
export function readKeys(keys: unknown): readonly [Buffer, ...Buffer[]] {
  if (!Array.isArray(keys)) refuse('keys', 'must be a list')
  const [first, ...older] = keys.map((key: unknown, index) => readKey(key, `keys[${index}]`))
  if (first === undefined) refuse('keys', 'is empty')
  return [first, ...older]
}

function readKey(key: unknown, name: string): Buffer {
  if (key === undefined || key === null || key === '') {
    refuse(name, 'is missing (is the environment variable set?)')
  }
  if (typeof key !== 'string' || !BASE64.test(key)) refuse(name, 'is not base64')
  const bytes = Buffer.from(key, 'base64')
  if (bytes.length !== SIZE) refuse(name, `has ${bytes.length} bytes instead of ${SIZE}`)
  if (new Set(bytes).size === 1) refuse(name, 'is one byte repeated, not random')
  if (bytes.equals(Buffer.from(EXAMPLE_KEY, 'base64'))) refuse(name, "is the README's example key")
  return bytes
}

function refuse(name: string, what: string): never {
  throw new ConfigurationError(`${name} ${what}: make one with "npx passport-second-step keygen"`)
}
