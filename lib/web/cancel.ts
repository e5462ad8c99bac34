import { wantsJson } from './faces.js'
import type { Handler } from './handler.js'
import { redirect, sendJson } from './respond.js'
import { saveSession } from './session.js'

/** POST `/cancel` */
export const cancel: Handler = async ({ site, req, res, visitor }) => {
  if (visitor.kind === 'pending' || visitor.kind === 'over') {
    Reflect.deleteProperty(req.session, 'secondStep')
    await saveSession(req)
  }
  if (wantsJson(req)) sendJson(res, { status: 'cancelled' })
  else redirect(res, visitor.kind === 'signed-in' ? site.paths.signedIn : site.paths.signIn)
  return undefined
}
