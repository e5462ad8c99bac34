import type { Form } from './factor.js'

/** Random bytes that one code is made of: 120 bits, above the 112 of ASVS 6.5.2. */
export const BYTES_OF_A_LOOK_UP_CODE = 15

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const LOOK_UP_CODE = /^[0-9A-HJKMNP-TV-Z]{24}$/
// 'ı' and 'ſ' become ASCII letters when raised to upper case.
const ASCII = /^[0-9A-Za-z]+$/
const LONGEST_INPUT = 64

/** Writes 15 random bytes as 24 Crockford base32 characters, without dashes. */
export function lookUpCodeFrom(random: Uint8Array): string {
  const bits = [...random].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const fives = bits.match(/.{5}/g) ?? []
  return fives.map((five) => CROCKFORD.charAt(Number.parseInt(five, 2))).join('')
}

/** As people see and copy it: `XXXXXX-XXXXXX-XXXXXX-XXXXXX`. */
export function formatLookUpCode(code: string): string {
  return (code.match(/.{6}/g) ?? []).join('-')
}

/** The field `code` without the blanks and dashes that people type, or undefined. */
export function typedCode({ code }: Form): string | undefined {
  if (typeof code !== 'string' || code.length > LONGEST_INPUT) return undefined
  return code.replace(/[\s-]/g, '')
}

/**
 * Reads a backup code or a one-time code. Case, and O for 0, I and L for 1, are forgiven here and
 * nowhere else, before anything is compared or counted (Vault CVE-2025-6015).
 */
export function readLookUpCode(form: Form): string | undefined {
  const typed = typedCode(form)
  if (typed === undefined || !ASCII.test(typed)) return undefined
  const code = typed.toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1')
  return LOOK_UP_CODE.test(code) ? code : undefined
}
