import type { RequestHandler } from 'express'
import { isFresh } from '../domain/stamp.js'
import { checkNames } from '../errors/check-names.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import { isCrossOrigin } from './cross-origin.js'
import { isNavigation } from './destination.js'
import { enrolled } from './needs.js'
import { redirect, sendProblem } from './respond.js'
import type { Site } from './site.js'
import { guardedStateOf } from './visitor.js'
import { rememberWayBack } from './way-back.js'

/** Options of `requireFresh()`. */
export interface RequireFreshOptions {
  /**
   * What happens to a signed-in user without an authenticator: `refuse` answers 403
   * `setup-required`, `pass` lets him through. Default `refuse`.
   */
  readonly notEnrolled?: 'refuse' | 'pass'
}

/**
 * Guards a route of the host's: a code must have been given within the last five minutes. An unsafe
 * request that another site started is refused, however fresh the code.
 */
export function requireFresh(site: Site, options: RequireFreshOptions = {}): RequestHandler {
  checkNames(options, ['notEnrolled'], 'requireFresh.')
  if (!['refuse', 'pass', undefined].includes(options.notEnrolled)) {
    throw new ConfigurationError("`requireFresh.notEnrolled` must be 'refuse' or 'pass'")
  }
  const check: RequestHandler = async (req, res, next) => {
    if (isCrossOrigin(req, site)) return sendProblem(site, req, res, { code: 'cross-origin' })
    const met = enrolled(site, req, guardedStateOf(req).visitor)
    if ('code' in met) {
      if (met.code !== 'not-enrolled') return sendProblem(site, req, res, met)
      if (options.notEnrolled === 'pass') return next()
      const setup = `${site.paths.secondStep}/setup`
      return sendProblem(site, req, res, { code: 'setup-required', next: setup })
    }
    if (isFresh(met.stamp, site.system.now())) return next()

    const fresh = `${site.paths.secondStep}/fresh`
    await rememberWayBack(site, req)
    if (isNavigation(req)) return redirect(res, fresh)
    return sendProblem(site, req, res, { code: 'fresh-code-required', next: fresh })
  }
  return (req, res, next) => {
    Promise.resolve(check(req, res, next)).catch(next)
  }
}
