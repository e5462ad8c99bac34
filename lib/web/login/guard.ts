import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { checkCall } from '../../errors/check-call.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import { UnavailableError } from '../../errors/unavailable-error.js'
import { answeredSince } from '../request/answered.js'
import {
  askedDestination,
  askedPath,
  isNavigation,
  isOurs,
  liesUnder,
} from '../request/destination.js'
import { noteNamed, warnOfForgotten } from '../request/forgotten-instance.js'
import { openPaths } from '../request/open-paths.js'
import { pagePath } from '../request/page-path.js'
import {
  type PassportLogIn,
  refuseUnknownInstances,
  removeUser,
  requireKnownInstance,
  serialisedUser,
  userOf,
} from '../request/passport.js'
import { pendingOf, saveSession, updateSecondStep } from '../request/session.js'
import { followSessionStore, isSessionStoreDisconnected } from '../request/session-store-state.js'
import { forgetCodes } from '../request/shown-again.js'
import type { Places, Site } from '../request/site.js'
import {
  type GuardState,
  knownGuardStateOf,
  type PendingVisitor,
  setGuardState,
} from '../request/visitor.js'
import {
  replacedBeforeGuard,
  requireOneSession,
  watchForGuard,
} from '../request/watched-passport.js'
import { watchSessions } from '../request/watched-session.js'
import { redirect } from '../routing/respond.js'
import { bannerOf } from './banner.js'
import { checkSessionStore } from './check-session-store.js'
import { endLoginOf, endReplacedBefore } from './end-login.js'
import { gate } from './gate.js'
import { gatedLogOut } from './log-out.js'
import { meet } from './meet.js'
import { watcherOf } from './watcher.js'

/** Options of `guard()`. */
export interface GuardOptions {
  /**
   * Paths that a pending visitor may still see, with everything below them: the ways to sign in and
   * out. As the app sees them, without `base`; `/` is the home page alone. Default
   * `['/login', '/logout', '/auth']`.
   */
  readonly open?: readonly string[]
}

/**
 * Mounted once after `passport.session()`. On every request it wraps `req.logIn`, and removes the
 * user if the session has not passed the second step, whatever code put the user there.
 */
export function guard(site: Site, options: GuardOptions = {}): RequestHandler {
  checkCall(options, ['open'], 'guard')
  const open = openPaths(options.open, site.base)
  noteNamed(site.passports)
  for (const passport of site.passports) watchForGuard(passport, watcherOf(site))
  const look: RequestHandler = (req, res, next) => {
    pass(site, open, req, res, next, look).catch((error: unknown) => {
      // The error handler must not see a signed-in visitor (promise 7).
      removeUser(req)
      next(error)
    })
  }
  return look
}

async function pass(
  site: Site,
  open: readonly string[],
  req: Request,
  res: Response,
  next: NextFunction,
  look: RequestHandler,
): Promise<void> {
  const known = knownGuardStateOf(req)
  if (known !== undefined && known.site !== site) {
    throw new ConfigurationError(
      'two guards of different createSecondStep() meet in one request: mount each where the other is not',
    )
  }
  // Mounted again after a second instance's session(): only that session's user is new.
  if (known !== undefined && userOf(req) === metUser(known)) return next()
  // The host has destroyed the session since the guard met its user.
  if (known !== undefined && !req.session) {
    removeUser(req)
    return next()
  }
  checkMounting(site, req)
  requireKnownInstance(req, site.passports)
  requireOneSession(req)
  warnOfForgotten(site, req)
  const state = known ?? wrap(site, req, res, next, look)
  const isAnswered = answeredSince(res)
  const visitor = await meet(site, req, isOpen(site, open, req))
  await endReplacedBefore(req, replacedBeforeGuard(req), visitor)
  state.visitor = visitor
  if (visitor.kind === 'signed-in') state.cameWith = [...state.cameWith, visitor]
  if (isNavigation(req)) await forgetCodes(req)
  if (isAnswered()) return
  if (state.visitor.kind === 'pending' && mustGoToChallenge(site, open, req)) {
    await rememberDestination(site, req, state.visitor)
    if (!isAnswered()) redirect(res, pagePath(site.paths, state.visitor.standing))
    return
  }
  next()
}

function metUser({ visitor }: GuardState): Express.User | undefined {
  return visitor.kind === 'signed-in' ? visitor.account.user : undefined
}

function wrap(
  site: Site,
  req: Request,
  res: Response,
  next: NextFunction,
  look: RequestHandler,
): GuardState {
  const state: GuardState = {
    site,
    look,
    visitor: { kind: 'anonymous' },
    logIn: req.logIn.bind(req) as PassportLogIn,
    next,
    metAt: site.system.now(),
    bodyWasThere: req.complete,
    passed: null,
    loggingIn: false,
    found: null,
    cameWith: [],
    calledLogIn: false,
    cleared: null,
    res,
    onFirstStep: null,
  }
  setGuardState(req, state)
  refuseUnknownInstances(req, site.passports)
  req.login = req.logIn = gate(site, req, res)
  req.logout = req.logOut = gatedLogOut(site, req)
  watchSessions(req, (session) => {
    const ended = endLoginOf(req, session)
    // Somebody signed in for this request alone does not depend on the session.
    const isOnce = state.visitor.kind === 'signed-in' && state.visitor.once === true
    if (!isOnce) state.visitor = { kind: 'anonymous' }
    return ended
  })
  // Rendered when a page of the host reads it, because most requests show no banner.
  Object.defineProperty(res.locals, 'secondStepBanner', {
    configurable: true,
    enumerable: true,
    get: () => bannerOf(site, req),
  })
  return state
}

/** Mistakes in mounting fail loudly, at the first request that shows them. */
function checkMounting(site: Site, req: Request): void {
  if (req.session === undefined || req.session === null) {
    // express-session sets the store before it reads from it; without one it was never mounted, or the
    // store is disconnected.
    if (req.sessionStore !== undefined || isSessionStoreDisconnected(site)) {
      throw new UnavailableError('the session store')
    }
    throw new ConfigurationError('mount express-session before guard()')
  }
  if (typeof req.session.regenerate !== 'function') {
    throw new ConfigurationError('guard() needs express-session: this session cannot regenerate()')
  }
  checkSessionStore(req.sessionStore)
  followSessionStore(site, req.sessionStore)
  const unseen = userOf(req) === undefined && pendingOf(req) === null
  if (
    typeof req.isAuthenticated !== 'function' ||
    (unseen && (serialisedUser(req) ?? null) !== null)
  ) {
    throw new ConfigurationError('mount guard() after passport.session()')
  }
}

function mustGoToChallenge(site: Site, open: readonly string[], req: Request): boolean {
  const path = askedPath(req, site)
  return isNavigation(req) && !isOurs(path, site.paths) && !isOpen(site, open, req)
}

function isOpen(site: Site, open: readonly string[], req: Request): boolean {
  const path = askedPath(req, site)
  return open.some((folder) => liesUnder(path, `${site.base}${folder}`))
}

async function rememberDestination(
  site: Places,
  req: Request,
  { pending }: PendingVisitor,
): Promise<void> {
  const next = askedDestination(req, site)
  if (next === null || next === pending.next) return
  updateSecondStep(req, { pending: { ...pending, next } })
  await saveSession(req)
}
