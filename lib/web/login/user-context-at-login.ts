import type { UserContext } from '../../domain/standing.js'
import type { Account } from '../../service/accounts.js'
import type { GuardState } from '../request/visitor.js'

/**
 * Reads what decides about somebody who is signing in. Whose id this is was asked at the first step, so that it is not
 * asked again of somebody who has just passed the second.
 */
export function userContextAtLogin(
  { site, passed }: Pick<GuardState, 'site' | 'passed'>,
  { id, subject }: Account,
): Promise<UserContext> {
  const { sessions } = site
  return passed?.account.id === id
    ? sessions.userContext(id, subject)
    : sessions.userContextAtLogin(id, subject)
}
