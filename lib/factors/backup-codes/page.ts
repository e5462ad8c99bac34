import type { KeyIds } from '../key-status.js'
import { type BackupCodeSet, backupCodesLeft, usedAfterAdmin } from './kept.js'

/** The facts about a user's backup codes for pages and JSON. */
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
