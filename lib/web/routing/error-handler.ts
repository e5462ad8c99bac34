import type { ErrorRequestHandler, Request } from 'express'
import { UnavailableError } from '../../errors/unavailable-error.js'
import { detachSession } from '../request/session.js'
import type { Site } from '../request/site.js'
import { knownGuardStateOf } from '../request/visitor.js'
import { sendProblem } from './respond.js'

const RETRY_AFTER = 5

/**
 * Answers 503 `unavailable` if a part (also the session store) does not answer, as JSON or as a
 * page. Passes every other error on to the host.
 */
export function errorHandler(site: Site): ErrorRequestHandler {
  return (error, req, res, next) => {
    if (res.headersSent || !(error instanceof UnavailableError || isSessionStoreAway(req))) {
      next(error)
      return
    }
    const isNamed = error instanceof UnavailableError
    site.failureReporter.report(isNamed ? error : new UnavailableError('the session store', error))
    detachSession(req)
    sendProblem(site, req, res, { code: 'unavailable', retryAfter: RETRY_AFTER }).catch(next)
  }
}

/**
 * express-session names the store before it reads from it, and sets the session after: a request
 * that has the one, not the other, and was seen by no guard failed in between.
 */
function isSessionStoreAway(req: Request): boolean {
  return req.sessionStore !== undefined && !req.session && knownGuardStateOf(req) === undefined
}
