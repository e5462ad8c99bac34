import { createHash } from 'node:crypto'
import type { OtpAlgorithm } from './otp/parameters.js'
import { effectiveKey } from './otp/same-key.js'
import { readSeed } from './seed.js'

/** What tells a hardware token, as a form or a file gives it. */
export const TOKEN_FIELDS = [
  ...(['serial', 'type', 'secret', 'algorithm', 'digits'] as const),
  ...(['period', 'counter'] as const),
]
export type TokenField = (typeof TOKEN_FIELDS)[number]

/** The fields as text; of a seed that was no text also its bytes. What is empty was not given. */
export type TokenText = { readonly [Field in Exclude<TokenField, 'secret'>]?: string } & {
  readonly secret?: string | Uint8Array
}

interface AnyToken {
  readonly serial: string
  readonly secret: Uint8Array
  readonly algorithm: OtpAlgorithm
  readonly digits: 6 | 8
}

/** A hardware token whose fields are in order. */
export type HardwareToken =
  | (AnyToken & { readonly type: 'totp'; readonly period: 30 | 60 })
  | (AnyToken & { readonly type: 'hotp'; readonly counter: number })

/** What is wrong with a field. It never holds the field's value: that may be a seed. */
export interface TokenFault {
  readonly field: TokenField
  readonly why: 'missing' | 'malformed' | 'too-short' | 'too-long'
}

/** A shorter seed is refused: 112 bits. */
const SHORTEST_SEED = 14
/** A shorter seed is weak: the length that RFC 4226 §4 R6 recommends, 160 bits. */
const RECOMMENDED_SEED = 20
/** The block of SHA-512. HMAC would hash a longer key first. */
const LONGEST_SEED = 128
/** No token gives so many codes, and later ones can still be looked for. */
const HIGHEST_COUNTER = 2 ** 52

const ALGORITHMS: ReadonlyMap<string, OtpAlgorithm> = new Map([
  ['SHA1', 'sha1'],
  ['SHA256', 'sha256'],
  ['SHA512', 'sha512'],
])
// In hexadecimal digits: 192 bits.
const KEY_NAME_LENGTH = 48
const SERIAL = /^[!-~](?:[ -~]{0,62}[!-~])?$/

/**
 * Reads a hardware token: TOTP or HOTP, SHA-1 (default), SHA-256 or SHA-512, 6 (default) or 8
 * digits, 30 (default) or 60 seconds, a counter from 0 (default), and a serial number of at most 64
 * ASCII characters.
 */
export function readHardwareToken(given: TokenText): HardwareToken | TokenFault {
  const serial = given.serial?.trim() ?? ''
  if (serial === '') return { field: 'serial', why: 'missing' }
  if (serial.length > 64) return { field: 'serial', why: 'too-long' }
  if (!SERIAL.test(serial)) return { field: 'serial', why: 'malformed' }
  const type = plain(given.type)
  if (type === '') return { field: 'type', why: 'missing' }
  if (type !== 'TOTP' && type !== 'HOTP') return { field: 'type', why: 'malformed' }
  const secret = seedOf(given.secret)
  if ('why' in secret) return secret
  const algorithm = ALGORITHMS.get(plain(given.algorithm).replace(/^HMAC/, '') || 'SHA1')
  if (algorithm === undefined) return { field: 'algorithm', why: 'malformed' }
  const digits = numberIn(given.digits, '6')
  if (digits !== 6 && digits !== 8) return { field: 'digits', why: 'malformed' }
  const token = { serial, secret, algorithm, digits } as const
  if (type === 'HOTP') {
    const counter = numberIn(given.counter, '0')
    if (counter === null || counter > HIGHEST_COUNTER) return { field: 'counter', why: 'malformed' }
    return { ...token, type: 'hotp', counter }
  }
  const period = numberIn(given.period, '30')
  if (period !== 30 && period !== 60) return { field: 'period', why: 'malformed' }
  return { ...token, type: 'totp', period }
}

/** Whether a text could be a serial number. */
export function isSerial(text: string): boolean {
  return SERIAL.test(text)
}

/** Whether the seed is shorter than 160 bits. Such a token works, but is worth a warning. */
export function hasWeakSeed({ secret }: Pick<HardwareToken, 'secret'>): boolean {
  return secret.length < RECOMMENDED_SEED
}

/**
 * Tells a token's key from another, and gives nothing of it away: a seed has 112 random bits at least. The
 * name outlives the keys of the app, so none of them is in it. The place where the codes begin is no part of
 * it, nor how many digits they have: those of six are the ends of those of eight.
 *
 * It stands where serial numbers stand, of at most 64 characters, but none begins with a blank.
 */
export function keyNameOf(token: HardwareToken): string {
  const { type, algorithm } = token
  const period = token.type === 'totp' ? token.period : 0
  const kind = `passport-second-step token ${type} ${algorithm} ${period} `
  const name = createHash('sha256')
    .update(kind)
    .update(effectiveKey(token))
    .digest('hex')
    .slice(0, KEY_NAME_LENGTH)
  return ` KEY:${name.toUpperCase()}`
}

/** The name that stands for the key of a serial number where nothing tells any more which key it has. */
export function unknownKeyName(serial: string): string {
  const name = createHash('sha256').update(serial.toUpperCase()).digest('hex')
  return ` OF:${name.slice(0, KEY_NAME_LENGTH).toUpperCase()}`
}

function seedOf(given: string | Uint8Array = ''): Uint8Array | TokenFault {
  if (given.length === 0) return { field: 'secret', why: 'missing' }
  const secret = typeof given === 'string' ? readSeed(given) : given
  if (secret === null) return { field: 'secret', why: 'malformed' }
  if (secret.length < SHORTEST_SEED) return { field: 'secret', why: 'too-short' }
  return secret.length > LONGEST_SEED ? { field: 'secret', why: 'too-long' } : secret
}

/** `SHA-256`, `HmacSHA256` and `sha256` are one name. */
function plain(text = ''): string {
  return text.replace(/[\s_-]/g, '').toUpperCase()
}

/** A whole number from 0, or null. */
function numberIn(text: string | undefined, fallback: string): number | null {
  const digits = text?.trim() || fallback
  return /^\d{1,16}$/.test(digits) ? Number(digits) : null
}
