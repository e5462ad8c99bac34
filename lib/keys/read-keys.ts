import { ConfigurationError } from '../errors/configuration-error.js'

/** The key that the README shows: base64 of a sentence that everybody can read. */
export const EXAMPLE_KEY = 'dGhpcy1pcy10aGUtUkVBRE1FLWV4YW1wbGUta2V5ISE='

const SIZE = 32
const MOVED_BACK = '. Has this one been in use? Then put a new key in front of it'
/** Control characters that no text has: all but a tabulator and the ends of lines. */
const OTHER_CONTROLS = /[^\P{Cc}\t\r\n]/u
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/

/**
 * Reads the host's keys, the current one first.
 *
 * @param keys base64 or base64url, 32 random bytes each
 * @throws ConfigurationError naming the key and the fix; never shows the key itself
 */
export function readKeys(keys: unknown): readonly [Buffer, ...Buffer[]] {
  if (typeof keys === 'string' && keys !== '') {
    throw new ConfigurationError(
      'keys must be a list, also where there is one: keys: [process.env.SECOND_STEP_KEY]',
    )
  }
  if (!Array.isArray(keys)) refuse('keys', 'must be a list')
  const [first, ...older] = keys.map((key: unknown, index) => readKey(key, `keys[${index}]`))
  if (first === undefined) refuse('keys', 'is empty')
  // Allowed behind the first place, because its secrets would be lost without it.
  const guessable = whyGuessable(String(keys[0]), first)
  if (guessable !== null) refuse('keys[0]', guessable, MOVED_BACK)
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

/**
 * The sign that the key is not random, or null. Each check has a chance below 1 in 10^9 to refuse a
 * random key: 16 different bytes or fewer in 32, 3e-14; well-formed UTF-8 without control characters
 * other than those of lines and tables, 5e-11; steps of one size, as in 0, 1, 2, 1e-72; base64 without capitals or without small letters, (38/64)^43 each, 4e-10 together.
 */
function whyGuessable(typed: string, bytes: Buffer): string | null {
  const read = bytes.toString('utf8')
  const text = Buffer.from(read).equals(bytes) && !OTHER_CONTROLS.test(read)
  const oneCase = typed === typed.toLowerCase() || typed === typed.toUpperCase()
  if (text || oneCase) return 'is text, not random bytes'
  const steps = bytes.subarray(1).map((byte, index) => byte - (bytes[index] ?? 0))
  if (new Set(steps).size === 1) return 'counts, as random bytes do not'
  return new Set(bytes).size <= SIZE / 2 ? 'repeats itself, as random bytes do not' : null
}

function refuse(name: string, what: string, more = ''): never {
  const fix = 'make one with "npx passport-second-step keygen"'
  throw new ConfigurationError(`${name} ${what}: ${fix}${more}`)
}
