import type { Request } from 'express'
import { checkNames } from '../../errors/check-names.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import { renewSession } from '../request/replaced-session.js'
import { isInSession } from '../request/session-login.js'
import type { Site } from '../request/site.js'
import {
  guardStateAt,
  guardStateOf,
  presentVisitorOf,
  type SignedInVisitor,
  setSignedIn,
} from '../request/visitor.js'

/** Options of `passwordChanged()`. */
export interface PasswordChangedOptions {
  /**
   * The request in which users change their own password. Its session continues under a new id, and
   * stays as fresh as it was. A request of another user, for example an admin, is ignored. Default:
   * none, so every session of the user ends.
   */
  readonly except?: Request
}

/**
 * Ends everything that began with the old password.
 *
 * @throws ConfigurationError for an unknown option, or a request that this site's guard has not seen
 */
export async function passwordChanged(
  site: Site,
  userId: string,
  options: PasswordChangedOptions = {},
): Promise<void> {
  const except = exceptOf(options)
  const named = except === undefined ? null : await visitorIn(site, except, userId)
  const { stamp, record } = await site.sessions.passwordChanged(userId, named)
  if (except === undefined || named === null || stamp === null) return
  await renewSession(except, stamp)
  setSignedIn(guardStateOf(except), { ...named, stamp, record })
}

/** @throws ConfigurationError */
function exceptOf(options: PasswordChangedOptions): Request | undefined {
  const given: unknown = options
  if (typeof given !== 'object' || given === null || isRequest(given)) {
    throw new ConfigurationError(
      'passwordChanged() takes options: passwordChanged(id, { except: req })',
    )
  }
  checkNames(given, ['except'], 'passwordChanged.')
  const { except } = options
  if (except === undefined || isRequest(except)) return except
  throw new ConfigurationError(
    '`passwordChanged.except` must be the request in which users change their own password: { except: req }',
  )
}

function isRequest(given: unknown): boolean {
  return typeof Reflect.get(Object(given), 'headers') === 'object'
}

/** The user, if the request's session has signed in this user; otherwise null. */
async function visitorIn(
  site: Site,
  req: Request,
  userId: string,
): Promise<SignedInVisitor | null> {
  guardStateAt(site, req)
  const visitor = await presentVisitorOf(req)
  return isInSession(site, req, visitor) && visitor.userId === userId ? visitor : null
}
