import { backupCodesLeft, FEW_BACKUP_CODES } from '../factors/backup-codes/kept.js'
import type { KeyIds } from '../factors/key-status.js'
import { isEnrolled } from './authenticators.js'
import { graceDeadlineOf, setupDeadlineOf, type UserContext } from './standing.js'
import { STATES, type State } from './state.js'

/** Users whom an overview counts beside their state, in the order in which pages name them. */
export const GROUPS = ['late', 'in-grace', 'few-backup-codes', 'unsaved-backup-codes'] as const

export type Group = (typeof GROUPS)[number]

/** What a list of users can be narrowed to. */
export type UserFilter = State | Group

export const USER_FILTERS: readonly UserFilter[] = [...STATES, ...GROUPS]

/** What a user's groups depend on. */
export interface GroupedBy {
  readonly keyIds: KeyIds
  /** In milliseconds. */
  readonly now: number
}

export function isGroup(filter: UserFilter): filter is Group {
  return GROUPS.some((group) => group === filter)
}

/** Whether a user is in a group, as it is counted and listed. */
export function isInGroup(
  group: Group,
  userContext: UserContext,
  { keyIds, now }: GroupedBy,
): boolean {
  if (group === 'late') return isLate(userContext, now)
  if (group === 'in-grace') return graceEndOf(userContext, now) !== null
  const { record, policy } = userContext
  if (!isEnrolled(record) || !policy.backupCodes) return false
  return group === 'few-backup-codes'
    ? backupCodesLeft(record.backupCodes, keyIds) <= FEW_BACKUP_CODES
    : record.backupCodes?.saved === false
}

/** Whether somebody must set up and the time for it is over: the days of grace, or those after a reset. */
function isLate(userContext: UserContext, now: number): boolean {
  const deadline = setupDeadlineOf(userContext, now)
  return deadline !== null && deadline <= now
}

/** When the days of grace of a user end. Null: they have none, or none any more. */
export function graceEndOf(userContext: UserContext, now: number): number | null {
  if (userContext.record.mustSetUp !== null) return null
  const deadline = graceDeadlineOf(userContext, now)
  return deadline === null || deadline <= now ? null : deadline
}
