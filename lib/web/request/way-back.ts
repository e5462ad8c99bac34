import type { Request } from 'express'
import { askedDestination, isNavigation, keptPath } from './destination.js'
import { saveSession, updateSecondStep } from './session.js'
import type { Places } from './site.js'

/**
 * The page to which the page for a fresh code redirects back: the requested page, or the page of a
 * refused form.
 *
 * @param page that page, where it is known. Default: what the request says
 */
export async function rememberWayBack(site: Places, req: Request, page?: string): Promise<void> {
  const asked = isNavigation(req) ? askedDestination(req, site) : req.get('referer')
  const next = keptPath(page ?? asked, site)
  if (next === null || next === req.session.secondStep?.next) return
  updateSecondStep(req, { next })
  await saveSession(req)
}
