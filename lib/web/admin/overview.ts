import { overviewPage } from '../../text/overview-page.js'
import { shownOverview } from '../../text/shown-overview.js'
import type { Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { sendJson, showPage } from '../routing/respond.js'

const NOTHING = { counted: null, soFar: null }

/** GET `/` */
export const showOverview: Handler<SignedInVisitor> = async ({ site, req, res, visitor }) => {
  const seen = (await site.overview?.now(visitor.policy)) ?? NOTHING
  const shown = shownOverview(seen.counted, site.roles, site.system.now())
  if (wantsJson(req)) sendJson(res, shown)
  else await showPage(site, req, res, 'admin-overview', overviewPage(seen, shown))
  return undefined
}
