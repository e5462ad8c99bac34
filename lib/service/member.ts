import { enrolledSince } from '../domain/authenticators.js'
import { type GroupedBy, isGroup, isInGroup, type UserFilter } from '../domain/groups.js'
import { authenticatorBlock } from '../domain/miss-budget.js'
import { pauseOf } from '../domain/pause.js'
import { setupDeadlineOf, type UserContext } from '../domain/standing.js'
import { type State, stateOf } from '../domain/state.js'
import { backupCodesLeft, placeOfBackupCodes } from '../factors/backup-codes/kept.js'
import type { KeyIds, KeyStatus } from '../factors/key-status.js'
import type { Account } from './accounts.js'

/** A user of the host, with the state of their second step. Times in milliseconds. */
export interface Member<U> extends UserContext {
  readonly account: Account<U>
  /** The id that the host knows them by. */
  readonly hostId: string
  readonly state: State
  readonly since: number | null
  readonly backupCodesLeft: number
  /** Where the key is that their unused backup codes need; null: they have none. */
  readonly backupCodesKey: KeyStatus | null
  /** `FOREVER`: until resumed. */
  readonly pausedUntil: number | null
  /** Until when the authenticator is not asked, if only for a minute. */
  readonly blockedUntil: number | null
  readonly lockedUntil: number | null
  readonly setupDeadline: number | null
}

/** @param at now, in milliseconds */
export function memberOf<U>(
  account: Account<U>,
  hostId: string,
  { record, policy }: Pick<UserContext, 'record' | 'policy'>,
  { keyIds, window, at }: { readonly keyIds: KeyIds; readonly window: number; readonly at: number },
): Member<U> {
  const { subject } = account
  const userContext = { record, policy, subject }
  const block = authenticatorBlock(record, window, at)
  return {
    // Not spread: that would cost as much as all else here.
    record,
    policy,
    subject,
    account,
    hostId,
    state: stateOf(userContext, window, at),
    since: enrolledSince(record),
    backupCodesLeft: backupCodesLeft(record.backupCodes, keyIds),
    backupCodesKey: placeOfBackupCodes(record.backupCodes, keyIds),
    pausedUntil: pauseOf(userContext, at),
    blockedUntil: block?.until ?? null,
    lockedUntil: block?.locked === true ? block.until : null,
    setupDeadline: setupDeadlineOf(userContext, at),
  }
}

/** A user's entry in a list. */
export type ListedMember = Pick<
  Member<unknown>,
  | 'hostId'
  | 'state'
  | 'since'
  | 'backupCodesLeft'
  | 'backupCodesKey'
  | 'pausedUntil'
  | 'lockedUntil'
  | 'setupDeadline'
> &
  Partial<Pick<Member<unknown>, 'record' | 'policy' | 'subject' | 'blockedUntil'>> & {
    readonly account: Pick<Account, 'id' | 'name' | 'email'>
    /**
     * The record is damaged or lost, or the app describes the user wrongly: nobody gets in, and
     * nothing else is known.
     */
    readonly unreadable?: 'record' | 'user'
  }

/** Whether a filter passes a user. Of an unreadable record nobody knows the group. */
export function passes(filter: UserFilter, listed: ListedMember, by: GroupedBy): boolean {
  if (!isGroup(filter)) return listed.state === filter
  const { record, policy, subject } = listed
  if (record === undefined || policy === undefined || subject === undefined) return false
  return isInGroup(filter, { record, policy, subject }, by)
}

/** "On and broken", never "off": somebody must look at it. */
export function unreadableMember(
  { id, name, email }: ListedMember['account'],
  hostId: string,
  unreadable: 'record' | 'user',
): ListedMember {
  return {
    account: { id, name, email },
    hostId,
    unreadable,
    state: 'on',
    since: null,
    backupCodesLeft: 0,
    backupCodesKey: null,
    pausedUntil: null,
    lockedUntil: null,
    setupDeadline: null,
  }
}
