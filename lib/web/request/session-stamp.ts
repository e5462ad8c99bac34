import type { Request } from 'express'
import { type Stamp, unwrittenStamp } from '../../domain/stamp.js'
import type { Account } from '../../service/accounts.js'
import { stampOf } from './session.js'
import { cameWithoutSession } from './session-login.js'
import type { Site } from './site.js'

/**
 * The stamp of the session whose user this is, and what stands for it where the session is older than the package. Null
 * where nothing of the session is theirs.
 */
export function stampOfUser(
  site: Site,
  req: Request,
  { id: userId, user }: Account<Express.User>,
): Stamp | null {
  const { verified, pending } = req.session.secondStep ?? {}
  const isWritten = verified !== undefined || pending !== undefined
  if (isWritten || cameWithoutSession(site, req, user)) return stampOf(site, req)
  return unwrittenStamp(req.sessionID, userId)
}
