import type { Request } from 'express'
import { replacedBeforeGuard } from './before-guard.js'
import type { SecondStepSession } from './session.js'

/**
 * Whether the pending login of this browser has asked for a reset by mail, also where Passport has just replaced its
 * session. The mail's link works in that login alone, so nothing may take its place without a code.
 */
export function hasAskedForReset(req: Request): boolean {
  const known =
    req.session.secondStep ?? (replacedBeforeGuard(req) as SecondStepSession | undefined)
  const { pending, lostAsks = [] } = known ?? {}
  return pending !== undefined && lostAsks.some(({ login }) => login === pending.id)
}
