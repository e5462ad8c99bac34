import {
  askedKeys,
  type CodeSource,
  codeSourceOf,
  hasCodes,
  isEnrolled,
  workingAuthenticators,
} from '../domain/authenticators.js'
import { authenticatorLock } from '../domain/miss-budget.js'
import { ruleFor, type Subject } from '../domain/policy.js'
import { backupCodesLeft } from '../factors/backup-codes/kept.js'
import type { RelyingParty } from '../factors/ceremony.js'
import type { KeyIds } from '../factors/key-status.js'
import type { Records } from './records.js'

/** What a mail must know of the user's devices, so that it advises only what they can do. */
export interface MailedDevices {
  /** `none`: security keys alone. */
  readonly source: CodeSource | 'none'
  /** How many of them work, but for a lock. */
  readonly count: number
  /** Whether wrong codes have locked those that show codes. */
  readonly locked: boolean
  /** Whether a security key of theirs is asked: wrong codes lock none. */
  readonly keys: boolean
  /** Whether a backup code of theirs works. */
  readonly backupCodes: boolean
  /** Whether the policy asks the user for the second step at all. */
  readonly asked: boolean
}

/** Reads it at the moment of the mail: what is left of the second step may have changed since the event. */
export type FindMailedDevices = (userId: string, subject: Subject) => Promise<MailedDevices>

export function mailedDevicesIn({
  records,
  keyIds,
  window,
  relyingParty,
  now,
}: {
  readonly records: Pick<Records, 'read'>
  readonly keyIds: KeyIds
  readonly window: number
  /** Null: the host has no WebAuthn. */
  readonly relyingParty: Pick<RelyingParty, 'rpId'> | null
  readonly now: () => number
}): FindMailedDevices {
  return async (userId, subject) => {
    const { record, policy } = await records.read(userId)
    return {
      source: isEnrolled(record) && !hasCodes(record) ? 'none' : codeSourceOf(record),
      count: workingAuthenticators(record, relyingParty).length,
      locked: authenticatorLock(record, window, now()) !== null,
      keys: askedKeys(record, relyingParty).length > 0,
      backupCodes: policy.backupCodes && backupCodesLeft(record.backupCodes, keyIds) > 0,
      asked: ruleFor(policy, subject).mode !== 'off',
    }
  }
}
