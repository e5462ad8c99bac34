import { shownOverview } from '../../text/shown-overview.js'
import type { Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { redirect, sendJson } from '../routing/respond.js'

/** GET `/` */
export const showOverview: Handler<SignedInVisitor> = async ({ site, req, res, visitor }) => {
  if (!wantsJson(req)) {
    redirect(res, `${site.paths.admin}/users`)
    return undefined
  }
  const overview = await site.overview?.get()
  const { counted = null } = (await overview?.now(visitor.policy)) ?? {}
  sendJson(res, shownOverview(counted, site.roles, site.system.now()))
  return undefined
}
