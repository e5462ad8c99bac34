import type { FactorAnswer, Moment } from '../factor.js'
import { type BackupCodeSet, backupCodesLeft } from './kept.js'
import { judgeBackupCode } from './verdict.js'

/** Judges a backup code. It is bound to its user and set, so another account's never matches (Gogs CVE-2025-64175). */
export async function answerBackupCode(
  set: BackupCodeSet,
  code: string,
  { now, keys }: Moment,
): Promise<FactorAnswer<BackupCodeSet>> {
  const digests = await keys.digests(code, { purpose: 'backup-code', setId: set.id })
  const answer = judgeBackupCode(set, digests, { now, keyIds: keys.keyIds })
  const guess = backupCodesLeft(set, keys.keyIds) > 0
  return answer.kind === 'wrong' ? { ...answer, guess } : answer
}
