import type { KeyIds } from '../key-place.js'
import { type BackupCodeSet, backupCodesLeft, usedAfterAdmin } from './kept.js'

/** What pages and JSON tell of a user's backup codes. */
export function shownBackupCodes(
  set: BackupCodeSet | null,
  keyIds: KeyIds,
): {
  readonly backupCodesLeft: number
  readonly backupCodesSaved: boolean
  readonly codesSeen: boolean
} {
  return {
    backupCodesLeft: backupCodesLeft(set, keyIds),
    backupCodesSaved: set?.saved ?? false,
    codesSeen: usedAfterAdmin(set),
  }
}
