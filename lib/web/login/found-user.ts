import type { Request } from 'express'
import { type Demand, demandOf } from '../../domain/standing.js'
import { removeUser } from '../request/passport.js'
import type { Site } from '../request/site.js'
import type { GuardState } from '../request/visitor.js'
import type { FoundUser } from '../request/watching.js'
import { checkLogInOptions, isWithoutSession } from './check-log-in-options.js'
import { demandOfFound } from './demand-of-found.js'
import { callOf, warnBeside, warnInFront, warnWithoutLogIn } from './found-user-warnings.js'
import { goingOn } from './going-on.js'
import { refuseAnswered } from './passport-session.js'
import { refuseWithoutSession } from './pending-answer.js'
import { isRevokedSince, refuseRevoked } from './revoked-since.js'
import { lendGate, noRequest, realRequestOf } from './stand-in.js'

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
  if (beside) {
    if (real.kind === 'guarded') warnBeside(real.state, found)
    return found.proceed()
  }
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
