import type { Request, Response } from 'express'
import { UnavailableError } from '../../errors/unavailable-error.js'
import { stepsWithin } from '../../ports/steps-within.js'
import { closeOnceSent } from '../request/closed-response.js'
import { wantsJson } from '../request/negotiation.js'
import type { HostApp, PendingInfo, Services, Site } from '../request/site.js'
import {
  redirect,
  sendJson,
  sendProblem,
  sendProblemJson,
  setSafeHeaders,
} from '../routing/respond.js'

/**
 * The gate's own answer to a login that becomes pending. The host's callback does not run, so the
 * host's code cannot hand out a token or redirect as if the user were signed in.
 */
export async function answerPending(
  site: Site,
  req: Request,
  res: Response,
  info: PendingInfo,
): Promise<void> {
  if (site.onPending !== null) await hostsAnswer(site, site.onPending, req, res, info)
  else if (req.get('hx-request') !== undefined) redirectHtmx(res, info.next)
  else if (wantsJson(req)) sendJson(res, { status: info.status, next: info.next })
  else redirect(res, info.next)
}

/**
 * The host's own answer, with the time limit of other calls to the host, also where it comes after the function has
 * returned, as that of a view does. Its errors are passed on unchanged. If it answers and then runs on for long, the
 * answer stands. One of which only a part has come ends with its connection.
 */
async function hostsAnswer(
  site: Services & HostApp,
  onPending: NonNullable<Site['onPending']>,
  req: Request,
  res: Response,
  info: PendingInfo,
): Promise<void> {
  try {
    await stepsWithin(site.timeout, (step) =>
      step('the option onPending', async () => {
        await onPending(req, res, info)
        if (!res.writableEnded) await sent(res)
      }),
    )
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    // The rest of the host's own answer may still come.
    if (!res.writableEnded) closeOnceSent(res)
    if (!res.headersSent) throw error
    site.failureReporter.report(error)
    const waitsForVisitor = res.writableNeedDrain
    if (!res.writableEnded && !waitsForVisitor) res.destroy()
  }
}

/** Otherwise a function that forgets to answer would keep the visitor waiting for ever. */
function sent(res: Response): Promise<void> {
  return new Promise((resolve) => {
    res.once('finish', resolve).once('close', resolve)
  })
}

function redirectHtmx(res: Response, path: string): void {
  if (res.headersSent) return
  setSafeHeaders(res)
  res.status(204).set('HX-Redirect', path).end()
}

/** Refuses a login without a session, because it cannot wait for a second step. */
export async function refuseWithoutSession(
  site: Site,
  req: Request,
  res: Response,
  status: PendingInfo['status'],
): Promise<void> {
  const problem = { code: status } as const
  if (req.accepts(['json', 'html']) === 'html') return sendProblem(site, req, res, problem)
  sendProblemJson(site, req, res, problem)
}
