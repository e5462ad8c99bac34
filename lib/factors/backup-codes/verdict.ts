import type { FactorAnswer, FactorEvent } from '../factor.js'
import { isDigest, placeOfDigest } from '../kept-digest.js'
import type { KeyIds } from '../key-status.js'
import { type BackupCodeSet, FEW_BACKUP_CODES, unusedBackupCodes } from './kept.js'

/** Decides on a backup code, named by its digests under every key of the ring. */
export function judgeBackupCode(
  set: BackupCodeSet,
  digests: readonly string[],
  { now, keyIds }: { now: number; keyIds: KeyIds },
): FactorAnswer<BackupCodeSet> {
  const found = set.codes.find(({ digest }) => isDigest(digest, digests))
  if (found === undefined) return { kind: 'wrong' }
  if (found.usedAt !== null) return { kind: 'used' }
  const codes = set.codes.map((code) => (code === found ? { ...code, usedAt: now } : code))
  // Version 0.1.0 did not record the key. The matching digest shows it.
  const keyId = set.keyId ?? keyIds[placeOfDigest(found.digest, digests)] ?? null
  const kept = { ...set, keyId, codes }
  return { kind: 'right', kept, events: eventsOf(kept) }
}

function eventsOf(set: BackupCodeSet): readonly FactorEvent[] {
  const detail = { backupCodesLeft: unusedBackupCodes(set) }
  const used = { type: 'backup-code-used', detail } as const
  if (detail.backupCodesLeft > FEW_BACKUP_CODES) return [used]
  return [used, { type: 'backup-codes-low', detail }]
}
