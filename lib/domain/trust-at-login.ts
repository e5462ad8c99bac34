import { acceptedOf } from './accepted-methods.js'
import { isEnrolled } from './authenticators.js'
import { openMailReset } from './mail-reset.js'
import { demandOf, type UserContext } from './standing.js'

/** Whether a trusted browser may stand for this user's code at all: no rule that says what counts names it. */
export function mayBeTrusted(userContext: UserContext, now: number): boolean {
  const { record, policy, subject } = userContext
  if (!isEnrolled(record) || acceptedOf(policy, subject) !== null) return false
  return demandOf(userContext, now) === 'code'
}

/** The same at this login. An open reset by mail is seen, ended by a code and done from the challenge alone. */
export function trustCounts(userContext: UserContext, now: number): boolean {
  return mayBeTrusted(userContext, now) && openMailReset(userContext.record, now) === null
}
