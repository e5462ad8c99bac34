import type { Request } from 'express'
import { demandOf } from '../../domain/standing.js'
import { askedPath, isOurs } from '../request/destination.js'
import { removeUser, type StrategyFound } from '../request/passport.js'
import { type Guarded, guardedOf } from '../request/visitor.js'
import { refuseWithoutSession } from './pending-answer.js'

/**
 * A strategy has found a user. Most meet the gate next, in `req.logIn`. Two do not:
 *
 * - `passport.authenticate(…, { session: false }, callback)`: the host's callback gets the user and
 *   hands out a token. They are refused here, as the same call without a callback is.
 * - "remember me" at one of our own routes: the pending login of that user goes on, or no request
 *   would ever reach the challenge.
 */
export function meetFoundUser(found: StrategyFound): unknown {
  const { req, options } = found
  const state = guardedOf(req)
  // `assignProperty` (also `passport.authorize()`) names an account beside the user's, not a user.
  if (options.assignProperty !== undefined) return found.proceed()
  if (options.session !== false) signedInBy.set(req, found.user)
  if (state === undefined) return found.proceed()
  // A strategy calls back from wherever it likes, a database's callback for one: nobody catches there.
  return meet(state, found).catch(state.next)
}

async function meet(state: Guarded, found: StrategyFound): Promise<unknown> {
  const { session, secondStep } = found.options
  if (session !== false) return meetWithSession(state, found)
  if (secondStep === false) return found.proceed()
  return meetWithoutSession(state, found)
}

/** The users that strategies have found for a session, by request: also in front of the guard. */
const signedInBy = new WeakMap<Request, Express.User>()

/** Whether a strategy has found just this user on this request, for a session. */
export function wasJustFound(req: Request, user: Express.User): boolean {
  return signedInBy.get(req) === user
}

function meetWithSession(state: Guarded, found: StrategyFound): unknown {
  if (goesOn(state, found)) return found.pass()
  warnWithoutLogIn(state, found)
  return found.proceed()
}

async function meetWithoutSession(
  state: Guarded,
  { req, user, proceed }: StrategyFound,
): Promise<unknown> {
  const { site, res, passed } = state
  const account = site.describe(user)
  const footing = await site.sessions.footing(account.id, account.subject)
  const demand = demandOf(footing, site.system.now())
  const free = demand === 'nothing' || passed?.account.id === account.id
  state.onFirstStep?.(account)
  state.onFirstStep = null
  if (free) {
    state.cleared = { account, footing }
    return proceed()
  }
  removeUser(req)
  return refuseWithoutSession(
    site,
    req,
    res,
    demand === 'code' ? 'code-required' : 'setup-required',
  )
}

function goesOn({ site, visitor, passed }: Guarded, { req, user }: StrategyFound): boolean {
  if (visitor.kind !== 'pending' || passed !== null) return false
  return (
    isOurs(askedPath(req, site), site.paths) && site.describe(user).id === visitor.pending.userId
  )
}

let warned = false

/** A callback of the host's that hands something out and never calls `req.logIn` skips the gate. */
function warnWithoutLogIn(state: Guarded, { user }: StrategyFound): void {
  const { site, res } = state
  if (warned) return
  res.once('finish', () => {
    if (warned || state.calledLogIn || res.statusCode >= 400) return
    isAsked(state, user).then(
      (asked) => {
        if (!asked || warned) return
        warned = true
        process.emitWarning(
          'passport-second-step: a callback of passport.authenticate() answered for a user who has a second ' +
            'step, without calling req.logIn(): call req.logIn(user, (error) => …) first and hand nothing ' +
            'out before its callback runs, or give the option { session: false }',
        )
      },
      (error: unknown) => site.trouble.report(error),
    )
  })
}

async function isAsked({ site }: Guarded, user: Express.User): Promise<boolean> {
  const { id, subject } = site.describe(user)
  return demandOf(await site.sessions.footing(id, subject), site.system.now()) !== 'nothing'
}
