import type { NextFunction, Request, Response } from 'express'
import { demandOf, type UserContext } from '../../domain/standing.js'
import type { Account } from '../../service/accounts.js'
import { destinationOf } from '../request/destination.js'
import { pagePath } from '../request/page-path.js'
import { instanceInCharge, type LogInOptions, removeUser } from '../request/passport.js'
import type { Site } from '../request/site.js'
import { type GuardState, guardStateOf, type PendingVisitor } from '../request/visitor.js'
import { endReplaced } from './end-login.js'
import { goingOn } from './going-on.js'
import { refuseAnswered, serialisedUserOf } from './passport-session.js'
import { answerPending } from './pending-answer.js'
import { putPending } from './put-pending.js'

/** A user who has passed the first step, with the account. */
export interface Login {
  readonly account: Account<Express.User>
  readonly userContext: UserContext
  readonly options: LogInOptions
}

/**
 * Asks for the second step: for the present pending login, or for a new one.
 *
 * @param goOn what comes after the middleware that has logged in
 */
export async function askForSecondStep(
  state: GuardState,
  req: Request,
  login: Login,
  goOn: NextFunction,
): Promise<void> {
  refuseAnswered(req)
  const { site, visitor, res } = state
  const how = goingOn(req, state, login.account.id, login.options)
  if (how === 'anew' || visitor.kind !== 'pending') {
    await becomePending(site, req, res, login)
    return
  }
  removeUser(req)
  if (how === 'on') goOn()
  else await answerAsPending(site, req, res, visitor.standing)
}

async function becomePending(
  site: Site,
  req: Request,
  res: Response,
  { account, userContext, options }: Login,
): Promise<void> {
  const { index, passport } = instanceInCharge(req, site.passports)
  const pending = site.sessions.pending({
    userId: account.id,
    epoch: userContext.record.epoch,
    next: destinationOf(req, options, site),
    passport: { instance: index, user: await serialisedUserOf(passport, account.user, req) },
    keepSessionInfo: options.keepSessionInfo === true,
    locale: account.locale,
    subject: userContext.subject,
    stampId: null,
    stampVersion: null,
  })
  refuseAnswered(req)
  await endReplaced(req, pending, userContext.record)
  refuseAnswered(req)
  await putPending(site, req, pending)
  refuseAnswered(req)

  removeUser(req)
  const demand = demandOf(userContext, site.system.now())
  const standing = demand === 'setup' ? 'setup-required' : 'code-required'
  guardStateOf(req).visitor = { kind: 'pending', standing, pending, ...userContext }
  await answerAsPending(site, req, res, standing)
}

async function answerAsPending(
  site: Site,
  req: Request,
  res: Response,
  status: PendingVisitor['standing'],
): Promise<void> {
  await answerPending(site, req, res, { status, next: pagePath(site.paths, status) })
}
