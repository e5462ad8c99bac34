import type { Request } from 'express'
import { askedDestination, isNavigation, keptPath } from './destination.js'
import { saveSession, updateSecondStep } from './session.js'
import type { Places } from './site.js'

/**
 * Where the page that asks for a fresh code leads back to: the page that was asked for; a form that
 * was refused leads back to its own page.
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
