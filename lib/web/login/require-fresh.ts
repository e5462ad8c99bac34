import type { Request, RequestHandler, Response } from 'express'
import { UnavailableError } from '../../errors/unavailable-error.js'
import type { Problem } from '../../text/problem.js'
import { answeredSince } from '../request/answered.js'
import { isCrossOrigin } from '../request/cross-origin.js'
import { isNavigation } from '../request/destination.js'
import { HeldBody, isBodyOnItsWay, type Refusal } from '../request/held-body.js'
import { hasWaited, lookAgain } from '../request/look-again.js'
import { isInSession } from '../request/session-login.js'
import type { Site } from '../request/site.js'
import { guardStateAt } from '../request/visitor.js'
import { rememberWayBack } from '../request/way-back.js'
import { errorHandler } from '../routing/error-handler.js'
import { freshCodeRequired } from '../routing/requirements.js'
import { redirect, sendProblem } from '../routing/respond.js'
import {
  type FreshRule,
  freshProblem,
  freshRuleOf,
  type RequireFreshOptions,
} from './fresh-rule.js'

/**
 * Guards a route of the host: the user must have given a code within the last five minutes. Refuses
 * an unsafe request that another site started, even with a fresh code. If the body arrives after
 * the guard's check, it checks again before each piece goes on to a reader: a request that is held
 * back must not outlive a log-out.
 */
export function requireFresh(site: Site, options: RequireFreshOptions = {}): RequestHandler {
  const rule = freshRuleOf(site, options)

  return (req, res, next) => {
    const problemNow = async () => freshProblem(site, req, await lookAgain(site, req), rule)
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
      if (problem !== null && !isAnswered()) await refuse(site, req, res, problem, rule)
    }
    /**
     * What the guard has seen counts as long as no piece of the body has come since, and other middleware
     * has not kept the request waiting.
     */
    const firstProblem = async (): Promise<Problem | null> => {
      const { visitor } = guardStateAt(site, req)
      const isKept = visitor.kind === 'signed-in' && visitor.kept === true
      return isKept || hasWaited(site, req) ? problemNow() : freshProblem(site, req, visitor, rule)
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
        else await refuse(site, req, res.set('Connection', 'close'), problem, rule)
      } catch (error) {
        failBody(error)
      }
    }
    check().catch(next)
  }
}

async function refuse(
  site: Site,
  req: Request,
  res: Response,
  problem: Problem,
  { accepts }: FreshRule,
): Promise<void> {
  const { next } = problem
  // Without a session, the page for the code does not work.
  const inSession = isInSession(site, req, guardStateAt(site, req).visitor)
  if (next !== undefined && next === freshCodeRequired(site).next && inSession) {
    await rememberWayBack(site, req, { accepts })
    if (isNavigation(req)) return redirect(res, next)
  }
  return sendProblem(site, req, res, problem)
}
