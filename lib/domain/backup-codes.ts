import type { Decision } from './decision.js'
import type { SecondStepRecord } from './record.js'

/** One look-up secret: kept after its use, so that a replay is known as one. */
export interface BackupCode {
  readonly digest: string
  readonly usedAt: number | null
}

/** A set of backup codes, made together and replaced together. */
export interface BackupCodeSet {
  /** Random; the digests are bound to it and to the user. */
  readonly id: string
  readonly codes: readonly BackupCode[]
  readonly createdAt: number
  /** The user said that he has put them away. */
  readonly saved: boolean
  /** An admin made it and has seen the codes: after its first use the user is led to make new ones. */
  readonly seenByAdmin: boolean
}

/** How many codes a set has. */
export const BACKUP_CODES_IN_A_SET = 10

/** With so many left, or fewer, the user is told to make new ones. */
export const FEW_BACKUP_CODES = 3

/** Random bytes that one code is made of: 120 bits, above the 112 of ASVS 6.5.2. */
export const BYTES_OF_A_BACKUP_CODE = 15

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Writes 15 random bytes as 24 Crockford base32 characters, without dashes. */
export function backupCodeFrom(random: Uint8Array): string {
  const bits = [...random].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const fives = bits.match(/.{5}/g) ?? []
  return fives.map((five) => CROCKFORD.charAt(Number.parseInt(five, 2))).join('')
}

/** As people see and copy it: `XXXXXX-XXXXXX-XXXXXX-XXXXXX`. */
export function formatBackupCode(code: string): string {
  return (code.match(/.{6}/g) ?? []).join('-')
}

/** How many codes of the set are still good. */
export function backupCodesLeft(set: BackupCodeSet | null): number {
  return set === null ? 0 : set.codes.filter((code) => code.usedAt === null).length
}

/** Whether a set that an admin has seen was used: now the user can make one that only he knows. */
export function usedAfterAdmin(set: BackupCodeSet | null): boolean {
  return set?.seenByAdmin === true && set.codes.some((code) => code.usedAt !== null)
}

/** Puts a new set in place of the old one, whose codes are dead at once. */
export function replaceBackupCodes(
  record: SecondStepRecord,
  backupCodes: BackupCodeSet,
): Decision<undefined> {
  return {
    record: { ...record, backupCodes },
    answer: undefined,
    events: [{ type: 'backup-codes-made', method: null }],
  }
}
