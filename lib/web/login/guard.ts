import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { Session } from 'express-session'
import { checkCall } from '../../errors/check-call.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import { answeredSince } from '../request/answered.js'
import { replacedBeforeGuard } from '../request/before-guard.js'
import {
  askedDestination,
  askedPath,
  isNavigation,
  isOurs,
  liesPlainlyUnder,
} from '../request/destination.js'
import { noteNamed } from '../request/forgotten-instance.js'
import { refuseUnknownInstances } from '../request/in-charge.js'
import { openPaths } from '../request/open-paths.js'
import { pagePath } from '../request/page-path.js'
import { type PassportLogIn, removeUser, userOf } from '../request/passport.js'
import { inTime, removeLogin, saveSession, updateSecondStep } from '../request/session.js'
import { forgetCodes, hasCodes } from '../request/shown-again.js'
import type { Places, Site } from '../request/site.js'
import {
  type GuardState,
  guardStateOf,
  knownGuardStateOf,
  type PendingVisitor,
  setGuardState,
  type Visitor,
} from '../request/visitor.js'
import { watchForGuard } from '../request/watched-passport.js'
import { watchSessions } from '../request/watched-session.js'
import { redirect } from '../routing/respond.js'
import { bannerOf } from './banner.js'
import { checkMounting, type SeenStore } from './check-mounting.js'
import { endLoginOf, endReplacedBefore } from './end-login.js'
import { gate } from './gate.js'
import { keptVisitor } from './kept-visitor.js'
import { gatedLogOut } from './log-out.js'
import { meet } from './meet.js'
import { warnIfUnanswered } from './unanswered-page.js'
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
  const open = openPaths(options.open, site.base).map((folder) => `${site.base}${folder}`)
  const isOpen = (path: string) => liesPlainlyUnder(path, ...open)
  noteNamed(site.passports)
  for (const passport of site.passports) watchForGuard(passport, watcherOf(site))
  const seen: SeenStore = { store: undefined }
  const look: RequestHandler = (req, res, next) => {
    const refuse = (error: unknown) => {
      // The error handler must not see a signed-in visitor (promise 7).
      next(errorOfRemoval(req) ?? error)
    }
    try {
      const known = knownGuardStateOf(req)
      if (known !== undefined && isMet(site, req, known)) return next()
      // First, because everything that follows is faster then.
      if (known === undefined) refuseUnknownInstances(req, site.passports)
      checkMounting(site, req, seen)
      const state = known ?? wrap(site, req, res, next, { look, isOpen })
      if (isStranger(req)) {
        state.visitor = ANONYMOUS
        return next()
      }
      site.mountedRules.meet()
      const kept = keptVisitor(site, req)
      if (kept === null || kept instanceof Promise) {
        return void pass(site, req, res, next, state, kept).catch(refuse)
      }
      noteMet(state, kept)
      next()
    } catch (error) {
      refuse(error)
    }
  }
  return look
}

const ANONYMOUS = { kind: 'anonymous' } as const

/** Mounted again on a sub-router, or after a `session()` behind it: whether nobody is left to meet. */
function isMet(site: Site, req: Request, known: GuardState): boolean {
  if (known.site !== site) {
    throw new ConfigurationError(
      'two guards of different createSecondStep() meet in one request: mount each where the other is not',
    )
  }
  // After a second instance's session(), only that session's user is new.
  if (userOf(req) === metUser(known)) return true
  // The host has destroyed the session since the guard met its user.
  if (!req.session) removeUser(req)
  return !req.session
}

/** Takes the user away. What that fails with, or null: here nobody would catch it. */
function errorOfRemoval(req: Request): unknown {
  try {
    removeUser(req)
    return null
  } catch (error) {
    return error
  }
}

/**
 * Whether there is no user, and nothing of ours in the session. Most requests of an app without a
 * login are such: they wait for nothing, and nothing is read for them.
 */
function isStranger(req: Request): boolean {
  const { secondStep } = req.session
  const nothingOfOurs = secondStep === undefined || secondStep === null
  return nothingOfOurs && userOf(req) === undefined && replacedBeforeGuard(req) === undefined
}

async function pass(
  site: Site,
  req: Request,
  res: Response,
  next: NextFunction,
  state: GuardState,
  kept: Promise<Visitor | null> | null,
): Promise<void> {
  const isAnswered = answeredSince(res)
  const replaced = replacedBeforeGuard(req)
  const visitor =
    (kept === null ? null : await kept) ??
    (await meet(site, req, () => state.isOpen(askedPath(req, site))).catch((error: unknown) => {
      if (replaced !== undefined) endUnmet(site, req, replaced)
      throw error
    }))
  if (replaced !== undefined) await endReplacedBefore(req, replaced, visitor)
  noteMet(state, visitor)
  if (hasCodes(req) && isNavigation(req)) await forgetCodes(req)
  if (isAnswered()) return
  if (state.visitor.kind === 'pending' && mustGoToChallenge(state, req)) {
    await rememberDestination(site, req, state.visitor)
    if (!isAnswered()) redirect(res, pagePath(site.paths, state.visitor.standing))
    return
  }
  if (state.visitor.kind === 'pending') warnIfUnanswered(site, req, res, state.visitor)
  next()
}

/**
 * Nobody was met, so nothing of the session that Passport has replaced goes on. Not awaited: the refusal has used up
 * its time.
 */
function endUnmet(site: Site, req: Request, replaced: unknown): void {
  endReplacedBefore(req, replaced, ANONYMOUS).catch((error: unknown) =>
    site.failureReporter.report(error),
  )
}

function noteMet(state: GuardState, visitor: Visitor): void {
  state.visitor = visitor
  if (visitor.kind === 'signed-in') state.cameWith = [...state.cameWith, visitor]
}

function metUser({ visitor }: GuardState): Express.User | undefined {
  return visitor.kind === 'signed-in' ? visitor.account.user : undefined
}

function wrap(
  site: Site,
  req: Request,
  res: Response,
  next: NextFunction,
  { look, isOpen }: Pick<GuardState, 'look' | 'isOpen'>,
): GuardState {
  const state: GuardState = {
    site,
    look,
    isOpen,
    visitor: ANONYMOUS,
    logIn: req.logIn as PassportLogIn,
    next,
    metAt: site.system.now(),
    bodyWasThere: req.complete,
    passed: null,
    loggingIn: false,
    found: null,
    firstStep: null,
    cameWith: [],
    calledLogIn: false,
    cleared: null,
    res,
    onFirstStep: null,
    countedNames: null,
    onSessionEnd,
    endAtStore,
    meetAnew,
  }
  setGuardState(req, state)
  req.login = req.logIn = gate(site, req, res)
  req.logout = req.logOut = gatedLogOut(site, req)
  watchSessions(req)
  // Rendered when a page of the host reads it, because most requests show no banner.
  Object.defineProperty(res.locals, 'secondStepBanner', {
    configurable: true,
    enumerable: true,
    get: () => bannerOf(site, req),
    // A host may set its own, or none.
    set: (value: unknown) => {
      Object.defineProperty(res.locals, 'secondStepBanner', { value, writable: true })
    },
  })
  return state
}

function onSessionEnd(req: Request, session: Session): Promise<void> {
  const state = guardStateOf(req)
  const ended = endLoginOf(req, session)
  // Somebody signed in for this request alone does not depend on the session.
  const isOnce = state.visitor.kind === 'signed-in' && state.visitor.once === true
  if (!isOnce) state.visitor = ANONYMOUS
  return ended
}

async function endAtStore(req: Request, call: () => Promise<void>): Promise<void> {
  try {
    await inTime(req, call)
  } catch (error) {
    removeLogin(guardStateOf(req).site, req)
    throw error
  }
}

async function meetAnew(req: Request): Promise<Visitor> {
  const state = guardStateOf(req)
  const { site } = state
  state.metAt = site.system.now()
  state.visitor = await meet(site, req, () => state.isOpen(askedPath(req, site)))
  return state.visitor
}

function mustGoToChallenge({ site, isOpen }: GuardState, req: Request): boolean {
  if (!isNavigation(req)) return false
  const path = askedPath(req, site)
  return !isOurs(path, site.paths) && !isOpen(path)
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
