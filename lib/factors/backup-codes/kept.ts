import { count, flag, listOf, orNull, shape, text } from '../checks.js'
import { isKeyGone, type KeyIds, type KeyStatus, keyStatusOf } from '../key-status.js'

/** One backup code: kept after its use, so that a replay is known as one. */
export interface BackupCode {
  readonly digest: string
  readonly usedAt: number | null
}

/** A set of backup codes, made together and replaced together. */
export interface BackupCodeSet {
  /** Random; the digests are bound to it and to the user. */
  readonly id: string
  /** Id of the key that the digests are made with; null: version 0.1.0 has not noted it. */
  readonly keyId: string | null
  readonly codes: readonly BackupCode[]
  readonly createdAt: number
  /** The user said that the codes are saved. */
  readonly saved: boolean
  /** An admin made the set and has seen its codes: after the first use the user is asked to make new ones. */
  readonly seenByAdmin: boolean
}

/** How many codes a set has. */
export const BACKUP_CODES_IN_A_SET = 10

/** With this many left or fewer, the package asks the user to make new ones. */
export const FEW_BACKUP_CODES = 3

const backupCodeSet = shape({
  id: text,
  keyId: orNull(text),
  codes: listOf(shape({ digest: text, usedAt: orNull(count) })),
  createdAt: count,
  saved: flag,
  seenByAdmin: flag,
})

export function isBackupCodeSet(value: unknown): value is BackupCodeSet {
  return backupCodeSet(value)
}

/** How many codes of the set were not used. */
export function unusedBackupCodes(set: BackupCodeSet | null): number {
  let unused = 0
  for (const { usedAt } of set?.codes ?? []) if (usedAt === null) unused += 1
  return unused
}

/** How many codes of the set still work: none where its key is gone from the ring. */
export function backupCodesLeft(set: BackupCodeSet | null, keyIds: KeyIds): number {
  return canBeRight(set, keyIds) ? unusedBackupCodes(set) : 0
}

/** Whether a code of the set could be right: its key is not gone from the ring. */
export function canBeRight(set: BackupCodeSet | null, keyIds: KeyIds): boolean {
  return set !== null && !isKeyGone(set.keyId, keyIds)
}

/** The place of the key that the unused codes of a set need. Null: no code is unused. */
export function placeOfBackupCodes(set: BackupCodeSet | null, keyIds: KeyIds): KeyStatus | null {
  return set === null || unusedBackupCodes(set) === 0 ? null : keyStatusOf(set.keyId, keyIds)
}

/** Whether a set that an admin has seen was used: now the user can make one that nobody else knows. */
export function usedAfterAdmin(set: BackupCodeSet | null): boolean {
  return set?.seenByAdmin === true && set.codes.some((code) => code.usedAt !== null)
}
