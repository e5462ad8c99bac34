import type { Account } from './accounts.js'
import type { Member } from './directory.js'

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
> & {
  readonly account: Pick<Account, 'id' | 'name' | 'email'>
  /**
   * The record is damaged or lost, or the app describes the user wrongly: nobody gets in, and
   * nothing else is known.
   */
  readonly unreadable?: 'record' | 'user'
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
