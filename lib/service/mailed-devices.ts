import { type CodeSource, codeSourceOf } from '../domain/authenticators.js'
import { backupCodesLeft } from '../factors/backup-codes/kept.js'
import type { KeyIds } from '../factors/key-status.js'
import type { Records } from './records.js'

/** What a mail must know of the user's devices, so that it advises only what they can do. */
export interface MailedDevices {
  readonly source: CodeSource
  /** Whether the user has only one device. */
  readonly isOnly: boolean
  /** Whether a backup code of theirs works. */
  readonly backupCodes: boolean
}

/** Reads it at the moment of the mail: what is left of the second step may have changed since the event. */
export type FindMailedDevices = (userId: string) => Promise<MailedDevices>

export function mailedDevicesIn(records: Records, keyIds: KeyIds): FindMailedDevices {
  return async (userId) => {
    const { record, policy } = await records.read(userId)
    return {
      source: codeSourceOf(record),
      isOnly: record.authenticators.length === 1,
      backupCodes: policy.backupCodes && backupCodesLeft(record.backupCodes, keyIds) > 0,
    }
  }
}
