import { wantsJson } from './faces.js'
import type { Handler } from './handler.js'
import { redirect, sendJson } from './respond.js'
import { keptOfBrowser, saveSession } from './session.js'

/** POST `/cancel` */
export const cancel: Handler = async ({ site, req, res, visitor }) => {
  if (visitor.kind === 'pending' || visitor.kind === 'over') {
    req.session.secondStep = keptOfBrowser(req)
    await saveSession(req)
  }
  if (wantsJson(req)) sendJson(res, { status: 'cancelled' })
  else redirect(res, visitor.kind === 'signed-in' ? site.paths.signedIn : site.paths.signIn)
  return undefined
}
