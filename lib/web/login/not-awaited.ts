import type { Request, Response } from 'express'
import { AnsweredError } from '../../errors/answered-error.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import { shownRoute } from '../request/destination.js'
import type { Site } from '../request/site.js'

/**
 * Reports a host that has answered a user who needs the second step before the gate could ask for it: a token that
 * went out so is one for the first step alone. A refusal of the host's own, by its time-out, is none.
 */
export function noteNotAwaited(site: Site, req: Request, res: Response): (error: unknown) => never {
  return (error) => {
    if (error instanceof AnsweredError && res.statusCode < 400) {
      site.failureReporter.report(notAwaited(shownRoute(req, site)))
    }
    throw error
  }
}

function notAwaited(route: string): ConfigurationError {
  return new ConfigurationError(
    `${route}: the app answered before req.logIn() called back, for a user who has passed the first step alone. Write ` +
      'req.logIn(user, (error) => …), and hand nothing out outside of this callback',
  )
}
