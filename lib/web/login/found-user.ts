import type { Request } from 'express'
import { type Demand, demandOf } from '../../domain/standing.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import type { Account } from '../../service/accounts.js'
import { askedPath } from '../request/destination.js'
import { removeUser } from '../request/passport.js'
import type { Site } from '../request/site.js'
import type { GuardState } from '../request/visitor.js'
import type { FoundUser } from '../request/watching.js'
import { checkLogInOptions, isWithoutSession } from './check-log-in-options.js'
import { goingOn } from './going-on.js'
import { refuseAnswered } from './passport-session.js'
import { refuseWithoutSession } from './pending-answer.js'
import { isRevokedSince, refuseRevoked } from './revoked-since.js'
import { lendGate, noRequest, realRequestOf } from './stand-in.js'
import { userContextAtLogin } from './user-context-at-login.js'

/**
 * A strategy has found a user. Most meet the gate next, in `req.logIn`. Two do not:
 *
 * - `passport.authenticate(…, { session: false }, callback)`: the host's callback gets the user and
 *   hands out a token. They are refused here, as the same call without a callback is.
 * - "remember me" at one of our own routes or an open path: the pending login of that user goes on.
 *
 * Strategies call back from a database, where nobody catches: what the host's callback throws goes to
 * Express.
 *
 * @param site of the instance's guard
 */
export function meetFoundUser(site: Site, found: FoundUser): unknown {
  const { options } = found
  const real = realRequestOf(found.req)
  // `assignProperty`, which `passport.authorize()` sets itself, names an account beside the user's, not
  // a user. If there is a callback, Passport ignores it, and the callback gets the user all the same.
  const beside = Boolean(options.assignProperty) && found.callsBackFrom === null
  if (beside) return found.proceed()
  if (real.kind === 'in-front') {
    warnInFront(site, found)
    return found.proceed()
  }
  if (real.kind === 'unknown') {
    if (!found.guarded) return found.proceed()
    return meetOnNoRequest(site, found).catch((error) => site.failureReporter.report(error))
  }
  const { req, state } = real
  // Account linking answers with the session's user, or with a copy that it has saved. authorize() finds
  // an account elsewhere.
  if (!found.seesRequest && found.callsBackFrom !== 'authorize') state.found = found.user
  state.firstStep = found
  const meet = isWithoutSession(options) ? meetWithoutSession : meetWithSession
  return meet(state, { ...found, req }, found.req).catch(state.next)
}

/** Nobody knows the guard, the session or the response: only who needs no second step is let in. */
async function meetOnNoRequest(site: Site, found: FoundUser): Promise<unknown> {
  const { user, options } = found
  const call = callOf(found)
  try {
    checkLogInOptions(options)
    const account = site.describe(user)
    if (options.secondStep !== false) {
      const userContext = await site.sessions.userContextAtLogin(account.id, account.subject)
      const needed = demandOf(userContext, site.system.now()) !== 'nothing'
      // With a session, the callback may still call the request's own `logIn`, the gate.
      if (needed && isWithoutSession(options)) throw noRequest(call)
      if (needed) site.failureReporter.report(noRequest(call))
    }
  } catch (error) {
    return found.fail(error)
  }
  return found.proceed()
}

/** Milliseconds between two looks at who signs in in front of the guard: only a warning depends on them. */
const LOOKS_EVERY = 1000
const lookedAt = new WeakMap<Site, number>()

/**
 * A login without a session, in front of the guard, answers with the password alone. The app may mean it for
 * an API of its own: then it says so.
 */
function warnInFront(site: Site, found: FoundUser): void {
  const { options, user, guarded } = found
  const now = site.system.now()
  const isLately = Math.abs(now - (lookedAt.get(site) ?? Number.NEGATIVE_INFINITY)) < LOOKS_EVERY
  if (!guarded || isLately || options.secondStep === false || !isWithoutSession(options)) return
  lookedAt.set(site, now)
  const look = async () => {
    const account = site.describe(user)
    const userContext = await site.sessions.userContextAtLogin(account.id, account.subject)
    if (demandOf(userContext, site.system.now()) === 'nothing') return
    site.failureReporter.report(inFront(site, found))
  }
  look().catch((error) => site.failureReporter.report(error))
}

function inFront(site: Site, found: FoundUser): ConfigurationError {
  return new ConfigurationError(
    `${routeOf(site, found)}: ${callOf(found)} runs in front of guard(), so a user with a second step got in with the first ` +
      'step alone. Mount guard() in front of that route, or, if that is meant, write { session: false, secondStep: false }',
  )
}

function routeOf(site: Site, { req }: FoundUser): string {
  return `${req.method} ${askedPath(req, site).slice(0, 100)}`
}

/** @param given the object that the host has handed on: the request, or one that stands for it */
async function meetWithSession(
  state: GuardState,
  found: FoundUser,
  given: Request,
): Promise<unknown> {
  let pass = false
  try {
    checkLogInOptions(found.options)
    lendGate(given, found.req)
    pass = goesOn(state, found)
  } catch (error) {
    return found.fail(error)
  }
  if (pass) return found.pass()
  warnWithoutLogIn(state, found)
  return found.proceed()
}

function goesOn(state: GuardState, { req, user, options }: FoundUser): boolean {
  if (state.visitor.kind !== 'pending') return false
  return goingOn(req, state, state.site.describe(user).id, options) === 'on'
}

async function meetWithoutSession(
  state: GuardState,
  found: FoundUser,
  given: Request,
): Promise<unknown> {
  const { site, res } = state
  const { req, user, options } = found
  let demand: Demand
  try {
    checkLogInOptions(options)
    lendGate(given, req)
    const account = site.describe(user)
    state.onFirstStep?.(account)
    state.onFirstStep = null
    if (await isRevokedSince(req, state, account)) return await refuseRevoked(req)
    demand = options.secondStep === false ? 'nothing' : await demandOfFound(state, account)
    // The host may have answered meanwhile, for example by a time-out. Then no callback may make a
    // token.
    refuseAnswered(req)
  } catch (error) {
    return found.fail(error)
  }
  if (demand === 'nothing') return found.proceed()
  removeUser(req)
  const status = demand === 'code' ? 'code-required' : 'setup-required'
  return refuseWithoutSession(site, req, res, status)
}

async function demandOfFound(state: GuardState, account: Account<Express.User>): Promise<Demand> {
  const { site, passed } = state
  const userContext = await userContextAtLogin(state, account)
  const demand =
    passed?.account.id === account.id ? 'nothing' : demandOf(userContext, site.system.now())
  if (demand === 'nothing') state.cleared = { account, userContext }
  return demand
}

/**
 * A host's callback that hands something out without calling `req.logIn` skips the gate. (A user
 * who is signed in already may be confirming the password, or linking an account.)
 */
function warnWithoutLogIn(state: GuardState, found: FoundUser): void {
  const { site, res, visitor } = state
  const signedIn = visitor.kind === 'signed-in' ? visitor.userId : null
  res.once('finish', () => {
    if (state.calledLogIn || res.statusCode >= 400) return
    needsSecondStep(state, found, signedIn).then(
      (needed) => needed && site.failureReporter.report(withoutLogIn(state, found)),
      // Not a user of the host, or unknown: not worth a failure for a warning.
      () => undefined,
    )
  })
}

async function needsSecondStep(
  state: GuardState,
  { user }: FoundUser,
  signedIn: string | null,
): Promise<boolean> {
  const account = state.site.describe(user)
  return account.id !== signedIn && (await demandOfFound(state, account)) !== 'nothing'
}

function callOf({ callsBackFrom, strategy }: FoundUser): string {
  return `passport.${callsBackFrom ?? 'authenticate'}('${strategy}', …)`
}

function withoutLogIn({ site }: GuardState, found: FoundUser): ConfigurationError {
  const { strategy, callsBackFrom } = found
  const made = `passport.${callsBackFrom ?? 'authenticate'}('${strategy}', `
  return new ConfigurationError(
    `${routeOf(site, found)}: the callback of ${made}…) answered for a user who has passed ` +
      'the first step alone. Call req.logIn(user, (error) => …) in it and hand nothing out before that calls ' +
      `back, or write ${made}{ session: false }, …)`,
  )
}
