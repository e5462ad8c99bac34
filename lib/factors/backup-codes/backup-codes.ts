import type { SpareFactor } from '../factor.js'
import { readLookUpCode } from '../look-up-code.js'
import { answerBackupCode } from './answer.js'
import { type BackupCodeSet, isBackupCodeSet } from './kept.js'

/**
 * Backup codes: look-up secrets, used once each. They work while authenticators are locked (Teleport
 * RFD 158) and are never locked themselves: guessing 120 bits needs no limit, and a limit would let
 * somebody with the password shut the owner out.
 */
export const backupCodes: SpareFactor<'backup-code', BackupCodeSet | null, string> = {
  method: 'backup-code',
  role: 'spare',
  misses: 'uncounted',
  opens: 'session',
  amr: ['otp'],
  keptAs: 'backupCodes',
  isKept: (value): value is BackupCodeSet | null => value === null || isBackupCodeSet(value),
  read: readLookUpCode,
  answer: async (set, code, moment) =>
    set === null ? { kind: 'wrong', guess: false } : answerBackupCode(set, code, moment),
  refusal: ({ enrolled, backupCodes: accepted }) => {
    if (!enrolled) return 'not-enrolled'
    return accepted ? null : 'switched-off'
  },
}
