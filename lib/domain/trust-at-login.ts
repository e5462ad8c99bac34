import { acceptedOf } from './accepted-methods.js'
import { isEnrolled } from './authenticators.js'
import { delayedMailReset } from './mail-reset.js'
import { demandOf, type UserContext } from './standing.js'

/** Whether a trusted browser may stand for this user's code at all: no rule that says what counts names it. */
export function mayBeTrusted(userContext: UserContext, now: number): boolean {
  const { record, policy, subject } = userContext
  if (!isEnrolled(record) || acceptedOf(policy, subject) !== null) return false
  return demandOf(userContext, now) === 'code'
}

/** The same at this login. A reset by mail that waits is seen at the challenge alone, where a code ends it. */
export function trustCounts(userContext: UserContext, now: number): boolean {
  return mayBeTrusted(userContext, now) && delayedMailReset(userContext.record, now) === null
}
