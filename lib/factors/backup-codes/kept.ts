import { count, flag, listOf, orNull, shape, text } from '../checks.js'

/** One backup code: kept after its use, so that a replay is known as one. */
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
  /** The user said that the codes are saved. */
  readonly saved: boolean
  /** An admin made the set and has seen its codes: after the first use the user is asked to make new ones. */
  readonly seenByAdmin: boolean
}

/** How many codes a set has. */
export const BACKUP_CODES_IN_A_SET = 10

/** With so many left, or fewer, the user is asked to make new ones. */
export const FEW_BACKUP_CODES = 3

const backupCodeSet = shape({
  id: text,
  codes: listOf(shape({ digest: text, usedAt: orNull(count) })),
  createdAt: count,
  saved: flag,
  seenByAdmin: flag,
})

export function isBackupCodeSet(value: unknown): value is BackupCodeSet {
  return backupCodeSet(value)
}

/** How many codes of the set are still good. */
export function backupCodesLeft(set: BackupCodeSet | null): number {
  return set === null ? 0 : set.codes.filter((code) => code.usedAt === null).length
}

/** Whether a set that an admin has seen was used: now the user can make one that nobody else knows. */
export function usedAfterAdmin(set: BackupCodeSet | null): boolean {
  return set?.seenByAdmin === true && set.codes.some((code) => code.usedAt !== null)
}
