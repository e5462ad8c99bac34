import type { Request } from 'express'
import { checkNames } from '../../errors/check-names.js'
import { passportKeys, serialisedUnder } from '../request/passport.js'
import { renewSession } from '../request/session.js'
import type { HostApp, Site } from '../request/site.js'
import { guardedStateOf, type SignedInVisitor } from '../request/visitor.js'

/** Options of `passwordChanged()`. */
export interface PasswordChangedOptions {
  /**
   * The request in which users change their own password: its session lives on, under a new id and
   * as fresh as it was. A request of somebody else's, an admin's say, is passed over. Default: none,
   * every session of the user ends.
   */
  readonly except?: Request
}

/**
 * Ends what an old password has begun.
 *
 * @throws ConfigurationError for an unknown option, or a request that no guard has seen
 */
export async function passwordChanged(
  site: Site,
  userId: string,
  options: PasswordChangedOptions = {},
): Promise<void> {
  checkNames(options, ['except'], 'passwordChanged.')
  const { except } = options
  const named = except === undefined ? null : visitorIn(site, except, userId)
  const { stamp, record } = await site.sessions.passwordChanged(userId, named)
  if (except === undefined || named === null || stamp === null) return
  await renewSession(except, stamp)
  guardedStateOf(except).visitor = { ...named, stamp, record }
}

/** The user, signed in by the request's session; null for anybody else. */
function visitorIn(site: HostApp, req: Request, userId: string): SignedInVisitor | null {
  const { visitor } = guardedStateOf(req)
  if (visitor.kind !== 'signed-in' || visitor.userId !== userId) return null
  const keys = passportKeys(req, site.passports)
  const inSession = keys.some((key) => (serialisedUnder(req, key) ?? null) !== null)
  return inSession ? visitor : null
}
