import { type BackupCodeSet, backupCodesLeft, usedAfterAdmin } from './kept.js'

/** What pages and JSON tell of a user's backup codes. */
export function shownBackupCodes(set: BackupCodeSet | null): {
  readonly backupCodesLeft: number
  readonly backupCodesSaved: boolean
  readonly codesSeen: boolean
} {
  return {
    backupCodesLeft: backupCodesLeft(set),
    backupCodesSaved: set?.saved ?? false,
    codesSeen: usedAfterAdmin(set),
  }
}
