import { type Demand, demandOf } from '../../domain/standing.js'
import type { Account } from '../../service/accounts.js'
import type { GuardState } from '../request/visitor.js'
import { userContextAtLogin } from './user-context-at-login.js'

/** What is demanded of a user whom a strategy has found. */
export async function demandOfFound(
  state: GuardState,
  account: Account<Express.User>,
): Promise<Demand> {
  const { site, passed } = state
  const userContext = await userContextAtLogin(state, account)
  const demand =
    passed?.account.id === account.id ? 'nothing' : demandOf(userContext, site.system.now())
  if (demand === 'nothing') state.cleared = { account, userContext }
  return demand
}
