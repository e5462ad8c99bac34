import type { Keys } from '../factor.js'
import { BYTES_OF_A_LOOK_UP_CODE, formatLookUpCode, lookUpCodeFrom } from '../look-up-code.js'
import { BACKUP_CODES_IN_A_SET, type BackupCodeSet } from './kept.js'

/** Enough that no two sets of a user have the same. */
const BYTES_OF_AN_ID = 6

/** A new set, and its codes as people see them. The codes are shown once and stored nowhere. */
export interface MadeBackupCodes {
  readonly set: BackupCodeSet
  readonly codes: readonly string[]
}

/** Makes a set of ten. @param random makes so many random bytes */
export async function makeBackupCodes(
  random: (bytes: number) => Uint8Array,
  now: number,
  keys: Pick<Keys, 'digests' | 'keyIds'>,
): Promise<MadeBackupCodes> {
  const id = Buffer.from(random(BYTES_OF_AN_ID)).toString('base64url')
  const codes = Array.from({ length: BACKUP_CODES_IN_A_SET }, () =>
    lookUpCodeFrom(random(BYTES_OF_A_LOOK_UP_CODE)),
  )
  const purpose = { purpose: 'backup-code', setId: id } as const
  const digests = await Promise.all(codes.map((code) => keys.digests(code, purpose)))
  const set: BackupCodeSet = {
    id,
    keyId: keys.keyIds[0],
    codes: digests.map(([digest]) => ({ digest, usedAt: null })),
    createdAt: now,
    saved: false,
    seenByAdmin: false,
  }
  return { set, codes: codes.map(formatLookUpCode) }
}
