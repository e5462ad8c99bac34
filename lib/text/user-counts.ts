import type { UserFilter } from '../domain/groups.js'
import type { ShownOverview } from './shown-overview.js'

/** How many users each filter of a list passes. Null: nobody knows. */
export type UserCounts = Readonly<Record<UserFilter | 'all', number | null>>

export function userCounts(overview: ShownOverview, late: number | null): UserCounts {
  const { known, states, inGrace, fewBackupCodes, unsavedBackupCodes } = overview
  return {
    ...states,
    all: known,
    late,
    'in-grace': inGrace,
    'few-backup-codes': fewBackupCodes,
    'unsaved-backup-codes': unsavedBackupCodes,
  }
}
