import type { Request, Response } from 'express'
import type { Stamp } from '../../domain/stamp.js'
import { demandOf, standingOf, type UserContext } from '../../domain/standing.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import type { Account } from '../../service/accounts.js'
import { keepsAsPassport, keepsOfPending } from '../request/kept-keys.js'
import {
  instanceInCharge,
  type LogInOptions,
  removeUser,
  requireKnownInstance,
} from '../request/passport.js'
import { stampOf } from '../request/session.js'
import { isInSession } from '../request/session-login.js'
import type { Services, Site } from '../request/site.js'
import { type GuardState, guardStateOf } from '../request/visitor.js'
import { askForSecondStep, type Login } from './ask-for-second-step.js'
import { byTrust } from './by-trust.js'
import { checkLogInOptions, isWithoutSession } from './check-log-in-options.js'
import { enter } from './enter.js'
import { noteNotAwaited } from './not-awaited.js'
import { passportLogIn, refuseAnswered } from './passport-session.js'
import { refuseWithoutSession } from './pending-answer.js'
import { isRevokedSince, refuseRevoked } from './revoked-since.js'
import { stampOfUpstream } from './upstream.js'
import { userContextAtLogin } from './user-context-at-login.js'

type Done = (error?: unknown) => unknown

/**
 * The `req.logIn` of a guarded request. Every way to sign in ends here, so this is the one place
 * that decides whether a user is signed in or only pending.
 */
export function gate(site: Site, req: Request, res: Response): Request['logIn'] {
  return (user: Express.User, options: LogInOptions | Done, callback?: Done): void => {
    const [given, done] = typeof options === 'function' ? [{}, options] : [options ?? {}, callback]
    const state = guardStateOf(req)
    if (typeof done !== 'function') {
      throw new ConfigurationError(
        'req.logIn() needs a callback: the second step is looked up first',
      )
    }
    if (state.loggingIn) {
      // Passed on instead of thrown: a database's callback may be running, where nobody catches.
      queueMicrotask(() => callBack(state, done, calledTwice()))
      return
    }
    state.loggingIn = true
    state.calledLogIn = true
    logIn(site, req, res, user, given)
      .finally(() => {
        state.loggingIn = false
      })
      .then(
        (entered) => {
          return entered ? done() : undefined
        },
        (error: unknown) => {
          removeUser(req)
          return done(error)
        },
      )
      .catch(state.next)
  }
}

function calledTwice(): ConfigurationError {
  return new ConfigurationError(
    'req.logIn() was called again before it had called back: wait for the callback of the first call',
  )
}

/** Passes what the host's callback throws to Express, so that it does not end the process. */
function callBack({ next }: GuardState, done: Done, error: unknown): void {
  Promise.resolve()
    .then(() => done(error))
    .catch(next)
}

/** @returns whether the user is in; otherwise the gate has answered the request itself */
async function logIn(
  site: Site,
  req: Request,
  res: Response,
  user: Express.User,
  options: LogInOptions,
): Promise<boolean> {
  checkLogInOptions(options)
  if (!isWithoutSession(options)) requireKnownInstance(req, site.passports)
  const state = guardStateOf(req)
  // Of the router that runs now. The guard's own would leave out the rest of a router behind it.
  const goOn = req.next ?? state.next
  const account = accountIn(state, user) ?? site.describe(user)
  state.onFirstStep?.(account)
  state.onFirstStep = null

  const userContext = await userContextFor(state, account)
  const passed = takePassed(state, account, userContext)
  const login: Login = { account, userContext, options }
  if (await isRevokedSince(req, state, account, userContext)) {
    await refuseRevoked(req)
    return false
  }
  if (isWithoutSession(options)) return logInOnce(site, req, res, login, passed !== null)

  const { index } = instanceInCharge(req, site.passports)
  const own =
    passed ??
    keptStamp(site, state, login, index) ??
    stampOfNobodyAsked(site, login, index) ??
    (await stampOfUpstream(site, state, req, login, index))
  const owner = { userId: account.id, instance: index }
  const entered =
    own === null ? await byTrust(site, req, owner, userContext) : { stamp: own, userContext }
  if (entered === null) {
    await askForSecondStep(state, req, login, goOn).catch(noteNotAwaited(site, req, res))
    return false
  }
  const { stamp } = entered
  const { visitor } = state
  const keeps =
    passed !== null && visitor.kind === 'pending'
      ? keepsOfPending(site, req, visitor.pending)
      : keepsAsPassport(site, req, options)
  const known = goesOnWith(site, req, stamp) ? (req.session.secondStep ?? {}) : {}
  const recorded = passed !== null
  await enter(site, req, { account, ...entered, keeps, options, known, recorded })
  return true
}

/** The account as already described, if the strategy's user was met before or has just passed. */
function accountIn(
  { cleared, passed }: GuardState,
  user: Express.User,
): Account<Express.User> | undefined {
  return [cleared?.account, passed?.account].find((account) => account?.user === user)
}

/**
 * Not read again if the strategy's user was met before. Where a session counts, which may have been ended
 * since, it is read again.
 */
async function userContextFor(state: GuardState, account: Account): Promise<UserContext> {
  const { cleared, cameWith } = state
  state.cleared = null
  return cleared?.account.id === account.id && cameWith.length === 0
    ? cleared.userContext
    : userContextAtLogin(state, account)
}

/** The strategy has just seen this user's second step passed; one login may use it. */
function takePassed(state: GuardState, { id }: Account, { record }: UserContext): Stamp | null {
  const { passed } = state
  state.passed = null
  if (passed === null || passed.account.id !== id) return null
  return passed.stamp.epoch === record.epoch ? passed.stamp : null
}

/**
 * The current user logs in again (profile edit, linked account): the same stamp, its old time. A user of
 * another instance may have the same id, and is not the current one.
 */
function keptStamp(
  site: Services,
  { visitor }: GuardState,
  { account, userContext }: Login,
  instance: number,
): Stamp | null {
  if (visitor.kind !== 'signed-in' || visitor.stamp?.instance !== instance) return null
  const standing = standingOf(account.id, visitor.stamp, userContext, site.system.now())
  return standing === 'passed' ? visitor.stamp : null
}

/** Whether it is the session's own stamp: a header of a single sign-on logs in at every request. */
function goesOnWith(site: Services, req: Request, { id }: Stamp): boolean {
  return Boolean(req.session) && stampOf(site, req)?.id === id
}

function stampOfNobodyAsked(
  site: Services,
  { account, userContext }: Login,
  instance: number,
): Stamp | null {
  if (demandOf(userContext, site.system.now()) !== 'nothing') return null
  return site.sessions.stamp({ userId: account.id, instance }, userContext.record, 'none')
}

/** A login for this request only, by an API key or the like. */
async function logInOnce(
  site: Site,
  req: Request,
  res: Response,
  { account, userContext, options }: Login,
  passed: boolean,
): Promise<boolean> {
  const demand = demandOf(userContext, site.system.now())
  if (passed || demand === 'nothing' || options.secondStep === false) {
    const state = guardStateOf(req)
    await passportLogIn(req, state.logIn, account.user, { options, contents: [] })
    const { visitor } = state
    // The cookie alone would do: the credential takes nothing from the user's own session.
    if (isInSession(site, req, visitor) && visitor.userId === account.id) return true
    // Marked as met: a second guard on a sub-router must not treat the user as a session without a
    // stamp.
    state.visitor = {
      kind: 'signed-in',
      userId: account.id,
      account,
      stamp: null,
      once: true,
      ...userContext,
    }
    return true
  }
  removeUser(req)
  const refuse = async () => {
    refuseAnswered(req)
    const status = demand === 'code' ? 'code-required' : 'setup-required'
    await refuseWithoutSession(site, req, res, status)
  }
  await refuse().catch(noteNotAwaited(site, req, res))
  return false
}
