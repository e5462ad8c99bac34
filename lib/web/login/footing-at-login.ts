import type { Footing } from '../../domain/standing.js'
import type { Account } from '../../service/accounts.js'
import type { Guarded } from '../request/visitor.js'

/**
 * Reads what decides about somebody who is signing in. Whose id this is was asked at the first step, so that it is not
 * asked again of somebody who has just passed the second.
 */
export function footingAtLogin(
  { site, passed }: Pick<Guarded, 'site' | 'passed'>,
  { id, subject }: Account,
): Promise<Footing> {
  const { sessions } = site
  return passed?.account.id === id
    ? sessions.footing(id, subject)
    : sessions.footingAtLogin(id, subject)
}
