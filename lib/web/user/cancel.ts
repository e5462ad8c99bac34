import { endLoginOf } from '../login/end-login.js'
import type { Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { keptOfBrowser, saveSession } from '../request/session.js'
import { redirect, sendJson } from '../routing/respond.js'

/** POST `/cancel` */
export const cancel: Handler = async ({ site, req, res, visitor }) => {
  if (visitor.kind === 'pending' || visitor.kind === 'over') {
    // Also one that is over: the session whose place it took may be written back.
    const ended = endLoginOf(req)
    // A failure to record it does not keep the login in the session.
    ended.catch(() => undefined)
    req.session.secondStep = keptOfBrowser(req.session.secondStep)
    await saveSession(req)
    await ended
  }
  if (wantsJson(req)) sendJson(res, { status: 'cancelled' })
  else redirect(res, visitor.kind === 'signed-in' ? site.paths.signedIn : site.paths.signIn)
  return undefined
}
