import type { Request, RequestHandler } from 'express'
import { freshUntil } from '../domain/stamp.js'
import { checkNames } from '../errors/check-names.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import { isNavigation, pathOnOrigin } from './destination.js'
import { enrolled } from './needs.js'
import { redirect, sendProblem } from './respond.js'
import { saveSession, updateSecondStep } from './session.js'
import type { Site } from './site.js'
import { guardedStateOf } from './visitor.js'

/** Options of `requireFresh()`. */
export interface RequireFreshOptions {
  /**
   * What happens to a signed-in user without an authenticator: `refuse` answers 403
   * `setup-required`, `pass` lets him through. Default `refuse`.
   */
  readonly notEnrolled?: 'refuse' | 'pass'
}

/** Guards a route of the host's: a code must have been given within the last five minutes. */
export function requireFresh(site: Site, options: RequireFreshOptions = {}): RequestHandler {
  checkNames(options, ['notEnrolled'], 'requireFresh.')
  if (!['refuse', 'pass', undefined].includes(options.notEnrolled)) {
    throw new ConfigurationError("`requireFresh.notEnrolled` must be 'refuse' or 'pass'")
  }
  const check: RequestHandler = async (req, res, next) => {
    const met = enrolled(site, req, guardedStateOf(req).visitor)
    if ('code' in met) {
      if (met.code !== 'not-enrolled') return sendProblem(site, req, res, met)
      if (options.notEnrolled === 'pass') return next()
      const setup = `${site.paths.secondStep}/setup`
      return sendProblem(site, req, res, { code: 'setup-required', next: setup })
    }
    const until = met.stamp === null ? null : freshUntil(met.stamp)
    if (until !== null && site.system.now() < until) return next()

    const fresh = `${site.paths.secondStep}/fresh`
    await rememberWayBack(site, req)
    if (isNavigation(req)) return redirect(res, fresh)
    return sendProblem(site, req, res, { code: 'fresh-code-required', next: fresh })
  }
  return (req, res, next) => {
    Promise.resolve(check(req, res, next)).catch(next)
  }
}

/** Back to the page that was asked for; a form that was refused leads back to its own page. */
async function rememberWayBack(site: Site, req: Request): Promise<void> {
  const asked = isNavigation(req) ? req.originalUrl : req.get('referer')
  const next = pathOnOrigin(asked, site.origin)
  if (next === null || next === req.session.secondStep?.next) return
  updateSecondStep(req, { next })
  await saveSession(req)
}
