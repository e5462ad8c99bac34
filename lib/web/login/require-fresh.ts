import type { Request, RequestHandler, Response } from 'express'
import { isEnrolled } from '../../domain/authenticators.js'
import { isFresh } from '../../domain/stamp.js'
import { demandOf } from '../../domain/standing.js'
import { checkCall } from '../../errors/check-call.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import { UnavailableError } from '../../errors/unavailable-error.js'
import type { Problem } from '../../text/problem.js'
import { answeredSince } from '../request/answered.js'
import { isCrossOrigin } from '../request/cross-origin.js'
import { isNavigation } from '../request/destination.js'
import { HeldBody, hasBodyBegun, isBodyOnItsWay, type Refusal } from '../request/held-body.js'
import { lookAgain } from '../request/look-again.js'
import { isInSession } from '../request/session-login.js'
import type { Site } from '../request/site.js'
import { guardStateAt, type Visitor } from '../request/visitor.js'
import { rememberWayBack } from '../request/way-back.js'
import { errorHandler } from '../routing/error-handler.js'
import { freshCodeRequired, missing } from '../routing/requirements.js'
import { redirect, sendProblem } from '../routing/respond.js'

/** Milliseconds for which the guard's look is enough. */
const SEEN_FOR = 100

/** Options of `requireFresh()`. */
export interface RequireFreshOptions {
  /**
   * For a signed-in user without an authenticator, `refuse` answers 403 `setup-required` and `pass`
   * lets them through, unless they must set one up. Default `refuse`.
   */
  readonly notEnrolled?: 'refuse' | 'pass'
}

/**
 * Guards a route of the host: the user must have given a code within the last five minutes. Refuses
 * an unsafe request that another site started, even with a fresh code. If the body arrives after
 * the guard's check, it checks again before each piece goes on to a reader: a request that is held
 * back must not outlive a log-out.
 */
export function requireFresh(site: Site, options: RequireFreshOptions = {}): RequestHandler {
  checkCall(options, ['notEnrolled'], 'requireFresh')
  if (!['refuse', 'pass', undefined].includes(options.notEnrolled)) {
    throw new ConfigurationError("`requireFresh.notEnrolled` must be 'refuse' or 'pass'")
  }
  const notEnrolled = options.notEnrolled ?? 'refuse'

  return (req, res, next) => {
    const problemNow = async () => problemOf(site, req, await lookAgain(site, req), notEnrolled)
    const check = async (): Promise<void> => {
      if (isCrossOrigin(req, site)) return sendProblem(site, req, res, { code: 'cross-origin' })
      const isAnswered = answeredSince(res)
      // Before the look: nothing may reach a reader past it.
      const held = isBodyOnItsWay(req) ? new HeldBody(req, res) : null
      const problem = await firstProblem().catch((error) => {
        held?.release()
        throw error
      })
      if (problem === null && !isAnswered()) {
        held?.open(lookAtBody)
        return next()
      }
      held?.release()
      if (problem !== null && !isAnswered()) await refuse(site, req, res, problem)
    }
    /**
     * What the guard has seen counts as long as no piece of the body has come since, and other middleware
     * has not kept the request waiting.
     */
    const firstProblem = async (): Promise<Problem | null> => {
      const { visitor, bodyWasThere, metAt } = guardStateAt(site, req)
      const isLate = Math.abs(site.system.now() - metAt) > SEEN_FOR
      const isKept = visitor.kind === 'signed-in' && visitor.kept === true
      const mustLook = isKept || isLate || (hasBodyBegun(req) && !bodyWasThere)
      return mustLook ? problemNow() : problemOf(site, req, visitor, notEnrolled)
    }
    const lookAtBody = async (): Promise<Refusal | null> => {
      try {
        const problem = await problemNow()
        return problem === null ? null : () => refuseBody(problem)
      } catch (error) {
        return async () => failBody(error)
      }
    }
    /** Express's own error handler waits for the end of the body, which is not passed on. */
    const failBody = (error: unknown): void => {
      const away = error instanceof UnavailableError
      errorHandler(site)(away ? error : new UnavailableError('a look', error), req, res, next)
    }
    const refuseBody = async (problem: Problem): Promise<void> => {
      try {
        if (res.headersSent) res.destroy()
        else await refuse(site, req, res.set('Connection', 'close'), problem)
      } catch (error) {
        failBody(error)
      }
    }
    check().catch(next)
  }
}

function problemOf(
  site: Site,
  req: Request,
  visitor: Visitor | Problem,
  notEnrolled: NonNullable<RequireFreshOptions['notEnrolled']>,
): Problem | null {
  if ('code' in visitor) return visitor
  if (visitor.kind !== 'signed-in') return missing(site, visitor)
  const now = site.system.now()
  if (isEnrolled(visitor.record)) {
    const fresh = isInSession(site, req, visitor) && isFresh(visitor.stamp, now)
    return fresh ? null : freshCodeRequired(site)
  }
  // A credential for one request also lets in users who must set one up, for example after a reset.
  if (notEnrolled === 'pass' && demandOf(visitor, now) === 'nothing') return null
  return { code: 'setup-required', next: `${site.paths.secondStep}/setup` }
}

async function refuse(site: Site, req: Request, res: Response, problem: Problem): Promise<void> {
  const { code, next } = problem
  // Without a session, the page for the code does not work.
  const inSession = isInSession(site, req, guardStateAt(site, req).visitor)
  if (code === 'fresh-code-required' && next !== undefined && inSession) {
    await rememberWayBack(site, req)
    if (isNavigation(req)) return redirect(res, next)
  }
  return sendProblem(site, req, res, problem)
}
