import type { Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { requestInfoOf } from '../request/request-info.js'
import { keptOfBrowser, saveSession } from '../request/session.js'
import { redirect, sendJson } from '../routing/respond.js'

/** POST `/cancel` */
export const cancel: Handler = async ({ site, req, res, visitor }) => {
  if (visitor.kind === 'pending' || visitor.kind === 'over') {
    req.session.secondStep = keptOfBrowser(req)
    await saveSession(req)
    // Last, so that a failure to record it does not keep the login in the session.
    if (visitor.kind === 'pending')
      await site.sessions.end({ kind: 'pending', login: visitor.pending }, requestInfoOf(req))
  }
  if (wantsJson(req)) sendJson(res, { status: 'cancelled' })
  else redirect(res, visitor.kind === 'signed-in' ? site.paths.signedIn : site.paths.signIn)
  return undefined
}
