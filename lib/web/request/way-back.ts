import type { Request } from 'express'
import type { FactorMethod } from '../../factors/factors.js'
import { askedDestination, isNavigation, keptPath } from './destination.js'
import { saveSession } from './session.js'
import type { Places } from './site.js'

/** What is known of the page that asks for a fresh code. */
interface WayBack {
  /** Its path. Default: what the request says. */
  readonly page?: string
  /** The methods that count there. Null, the default: all. */
  readonly accepts?: readonly FactorMethod[] | null
}

/**
 * The page to which the page for a fresh code redirects back: the requested page, or the page of a
 * refused form.
 */
export async function rememberWayBack(
  site: Places,
  req: Request,
  { page, accepts = null }: WayBack = {},
): Promise<void> {
  const asked = isNavigation(req) ? askedDestination(req, site) : req.get('referer')
  const next = keptPath(page ?? asked, site)
  if (next === null) return
  const { accepts: before, ...kept } = req.session.secondStep ?? {}
  if (next === kept.next && String(before ?? null) === String(accepts)) return
  req.session.secondStep = { ...kept, next, ...(accepts === null ? {} : { accepts }) }
  await saveSession(req)
}
