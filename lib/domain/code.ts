/** A code as its shape tells it apart: what was typed, made canonical once. */
export type TypedCode =
  | { readonly kind: 'otp'; readonly code: string }
  | { readonly kind: 'backup-code'; readonly code: string }

const LONGEST_INPUT = 64
// 'ı' and 'ſ' become ASCII letters when raised to upper case.
const ASCII = /^[0-9A-Za-z]+$/
const OTP = /^[0-9]{6,8}$/
const BACKUP_CODE = /^[0-9A-HJKMNP-TV-Z]{24}$/

/**
 * Reads what somebody typed. Spaces and dashes, case, and O for 0, I and L for 1 are forgiven here
 * and nowhere else, before anything is compared or counted (Vault CVE-2025-6015).
 *
 * @returns null for anything that has characters or a length that no code has
 */
export function readCode(input: unknown): TypedCode | null {
  if (typeof input !== 'string' || input.length > LONGEST_INPUT) return null
  const typed = input.replace(/[\s-]/g, '')
  if (OTP.test(typed)) return { kind: 'otp', code: typed }
  if (!ASCII.test(typed)) return null
  const lookUp = typed.toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1')
  return BACKUP_CODE.test(lookUp) ? { kind: 'backup-code', code: lookUp } : null
}
