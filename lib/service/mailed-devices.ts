import { type CodeSource, codeSourceOf } from '../domain/authenticators.js'
import { authenticatorLock } from '../domain/miss-budget.js'
import { backupCodesLeft } from '../factors/backup-codes/kept.js'
import type { KeyIds } from '../factors/key-status.js'
import type { Records } from './records.js'

/** What a mail must know of the user's devices, so that it advises only what they can do. */
export interface MailedDevices {
  readonly source: CodeSource
  /** How many the user has. */
  readonly count: number
  /** Whether wrong codes have locked them. */
  readonly locked: boolean
  /** Whether a backup code of theirs works. */
  readonly backupCodes: boolean
}

/** Reads it at the moment of the mail: what is left of the second step may have changed since the event. */
export type FindMailedDevices = (userId: string) => Promise<MailedDevices>

export function mailedDevicesIn({
  records,
  keyIds,
  window,
  now,
}: {
  readonly records: Records
  readonly keyIds: KeyIds
  readonly window: number
  readonly now: () => number
}): FindMailedDevices {
  return async (userId) => {
    const { record, policy } = await records.read(userId)
    return {
      source: codeSourceOf(record),
      count: record.authenticators.length,
      locked: authenticatorLock(record, window, now()) !== null,
      backupCodes: policy.backupCodes && backupCodesLeft(record.backupCodes, keyIds) > 0,
    }
  }
}
