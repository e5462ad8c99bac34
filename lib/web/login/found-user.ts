import { type Demand, demandOf } from '../../domain/standing.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import type { Account } from '../../service/accounts.js'
import { askedPath } from '../request/destination.js'
import { removeUser } from '../request/passport.js'
import { type GuardState, knownGuardStateOf } from '../request/visitor.js'
import type { FoundUser } from '../request/watched-passport.js'
import { checkLogInOptions, isWithoutSession } from './check-log-in-options.js'
import { goingOn } from './going-on.js'
import { refuseAnswered } from './passport-session.js'
import { refuseWithoutSession } from './pending-answer.js'
import { isRevokedSince, refuseRevoked } from './revoked-since.js'
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
 */
export function meetFoundUser(found: FoundUser): unknown {
  const { req, options } = found
  const state = knownGuardStateOf(req)
  const withoutSession = isWithoutSession(options)
  // `assignProperty`, which `passport.authorize()` sets itself, names an account beside the user's, not
  // a user. If there is a callback, Passport ignores it, and the callback gets the user all the same.
  const beside = Boolean(options.assignProperty) && found.callsBackFrom === null
  if (state === undefined || beside) return found.proceed()
  // Account linking answers with the session's user, or with a copy that it has saved. authorize() finds
  // an account elsewhere.
  if (!found.seesRequest && found.callsBackFrom !== 'authorize') state.found = found.user
  const meet = withoutSession ? meetWithoutSession : meetWithSession
  return meet(state, found).catch(state.next)
}

async function meetWithSession(state: GuardState, found: FoundUser): Promise<unknown> {
  let pass = false
  try {
    checkLogInOptions(found.options)
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

async function meetWithoutSession(state: GuardState, found: FoundUser): Promise<unknown> {
  const { site, res } = state
  const { req, user, options } = found
  let demand: Demand
  try {
    checkLogInOptions(options)
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

function withoutLogIn({ site }: GuardState, found: FoundUser): ConfigurationError {
  const { req, strategy, callsBackFrom } = found
  const made = `passport.${callsBackFrom ?? 'authenticate'}('${strategy}', `
  const route = `${req.method} ${askedPath(req, site).slice(0, 100)}`
  return new ConfigurationError(
    `${route}: the callback of ${made}…) answered for a user who has passed ` +
      'the first step alone. Call req.logIn(user, (error) => …) in it and hand nothing out before that calls ' +
      `back, or write ${made}{ session: false }, …)`,
  )
}
