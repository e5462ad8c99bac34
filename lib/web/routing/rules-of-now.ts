import type { Request } from 'express'
import type { Problem } from '../../text/problem.js'
import type { Handler } from '../request/handler.js'
import { hasWaited, lookAgain } from '../request/look-again.js'
import type { Site } from '../request/site.js'
import type { Visitor } from '../request/visitor.js'
import type { Requirement } from './requirements.js'

/**
 * The visitor of a form by the rules and the record of now, for a handler that the body has reached. The client decides
 * when it sends the body: one that is held back must not meet the rules of before a change. Reads nothing where the
 * request has not waited.
 */
export async function visitorNow<V extends Visitor>(
  site: Site,
  req: Request,
  visitor: V,
  need: Requirement<V>,
): Promise<V | Problem> {
  if (!hasWaited(site, req)) return visitor
  const seen = await lookAgain(site, req)
  return 'code' in seen ? seen : need(site, req, seen)
}

/** Such a handler, which meets that visitor. */
export function byRulesOfNow<V extends Visitor>(
  need: Requirement<V>,
  handler: Handler<V>,
): Handler<V> {
  return async (exchange) => {
    const visitor = await visitorNow(exchange.site, exchange.req, exchange.visitor, need)
    return 'code' in visitor ? visitor : handler({ ...exchange, visitor })
  }
}
