import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { PendingLogin } from '../../domain/pending-login.js'
import { demandOf, type Footing, pendingStandingOf, standingOf } from '../../domain/standing.js'
import { checkNames } from '../../errors/check-names.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import { UnavailableError } from '../../errors/unavailable-error.js'
import type { Account } from '../../service/accounts.js'
import {
  askedDestination,
  askedPath,
  isNavigation,
  isOurs,
  liesUnder,
} from '../request/destination.js'
import { openPaths } from '../request/open-paths.js'
import { pagePath } from '../request/page-path.js'
import {
  instanceInCharge,
  meetSessions,
  type PassportLogIn,
  passportKeys,
  removeUser,
  requireKnownInstance,
  serialisedUser,
  userOf,
  watchInstances,
  watchStrategies,
} from '../request/passport.js'
import {
  pendingOf,
  regenerateSession,
  removeLogin,
  saveSession,
  stampOf,
  updateSecondStep,
} from '../request/session.js'
import { forgetCodes } from '../request/shown-again.js'
import type { Site } from '../request/site.js'
import {
  type Guarded,
  guardedOf,
  type PendingVisitor,
  type SignedInVisitor,
  setGuarded,
  type Visitor,
} from '../request/visitor.js'
import { redirect } from '../routing/respond.js'
import { bannerOf } from './banner.js'
import { checkSessionStore } from './check-session-store.js'
import { accountOfPending, finishLogin } from './finish-login.js'
import { meetFoundUser, wasJustFound } from './found-user.js'
import { gate } from './gate.js'
import { gatedLogOut } from './log-out.js'

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
 * Mounted once after `passport.session()`. On every request it removes the user from a session that
 * has not passed the second step, whatever put him there, and it wraps `req.logIn`.
 */
export function guard(site: Site, options: GuardOptions = {}): RequestHandler {
  checkNames(options, ['open'], 'guard.')
  const open = openPaths(options.open, site.base)
  for (const passport of site.passports) watchStrategies(passport, meetFoundUser)
  return (req, res, next) => {
    pass(site, open, req, res, next).catch((error: unknown) => {
      // Whoever handles the error must not take the visitor for signed in (promise 7).
      removeUser(req)
      next(error)
    })
  }
}

async function pass(
  site: Site,
  open: readonly string[],
  req: Request,
  res: Response,
  next: NextFunction,
): Promise<void> {
  const known = guardedOf(req)
  if (known !== undefined && known.site !== site) {
    throw new ConfigurationError(
      'two guards of different createSecondStep() meet in one request: mount each where the other is not',
    )
  }
  // Mounted again after a second instance's session(): only a user whom it brought is new.
  if (known !== undefined && userOf(req) === metUser(known)) return next()
  checkMounting(req)
  requireKnownInstance(req, site.passports)
  meetSessions(req)
  const state = known ?? wrap(site, req, res, next)
  state.visitor = await meet(site, open, req)
  if (isNavigation(req)) await forgetCodes(req)
  if (state.visitor.kind === 'pending' && leadsAstray(site, open, req)) {
    await rememberDestination(site, req, state.visitor)
    redirect(res, pagePath(site.paths, state.visitor.standing))
    return
  }
  next()
}

function metUser({ visitor }: Guarded): Express.User | undefined {
  return visitor.kind === 'signed-in' ? visitor.account.user : undefined
}

function wrap(site: Site, req: Request, res: Response, next: NextFunction): Guarded {
  const state: Guarded = {
    site,
    visitor: { kind: 'anonymous' },
    logIn: req.logIn.bind(req) as PassportLogIn,
    next,
    bodyWasThere: req.complete,
    passed: null,
    loggingIn: false,
    calledLogIn: false,
    cleared: null,
    res,
    onFirstStep: null,
  }
  setGuarded(req, state)
  watchInstances(req, site.passports)
  req.login = req.logIn = gate(site, req, res)
  req.logout = req.logOut = gatedLogOut(site, req)
  // Written when a page of the host's asks for it: most requests show none.
  Object.defineProperty(res.locals, 'secondStepBanner', {
    configurable: true,
    enumerable: true,
    get: () => bannerOf(site, req),
  })
  return state
}

/** Mistakes in mounting fail loudly, at the first request that shows them. */
function checkMounting(req: Request): void {
  if (req.session === undefined || req.session === null) {
    // express-session sets the store before it reads from it; without one it was never mounted.
    if (req.sessionStore !== undefined) throw new UnavailableError('the session store')
    throw new ConfigurationError('mount express-session before guard()')
  }
  if (typeof req.session.regenerate !== 'function') {
    throw new ConfigurationError('guard() needs express-session: this session cannot regenerate()')
  }
  checkSessionStore(req.sessionStore)
  const unseen = userOf(req) === undefined && pendingOf(req) === null
  if (
    typeof req.isAuthenticated !== 'function' ||
    (unseen && (serialisedUser(req) ?? null) !== null)
  ) {
    throw new ConfigurationError('mount guard() after passport.session()')
  }
}

async function meet(site: Site, open: readonly string[], req: Request): Promise<Visitor> {
  const pending = pendingOf(req)
  if (pending !== null) await removeUserBeside(site, req)
  if (pending === 'broken') return { kind: 'over' }
  if (pending !== null) {
    const footing = await site.sessions.footing(pending.userId, pending.subject)
    const standing = pendingStandingOf(pending, footing, site.system.now())
    if (standing === 'over') return { kind: 'over' }
    if (standing === 'free') {
      // Who is signing in or out, or cancels, does not ask to be let in.
      return isOpen(site, open, req) || cancels(site, req)
        ? { kind: 'over' }
        : setFree(site, req, { pending, ...footing })
    }
    return { kind: 'pending', standing, pending, ...footing }
  }
  const user = userOf(req)
  return user === undefined ? { kind: 'anonymous' } : meetUser(site, req, user)
}

/**
 * The rule was eased, or an admin has paused or lifted the second step, while the login waited: its
 * first step is enough now.
 */
async function setFree(
  site: Site,
  req: Request,
  login: { readonly pending: PendingLogin } & Footing,
): Promise<Visitor> {
  const account = await accountOfPending(site, req, login)
  if (account === undefined) return { kind: 'over' }
  const { pending, ...footing } = login
  const passed = { account, method: 'none', given: footing.record, pageBetween: true } as const
  await finishLogin(site, req, login, passed)
  return signedInVisitor(req, account, footing)
}

/** Pending present: never a user. */
async function removeUserBeside(site: Site, req: Request): Promise<void> {
  removeUser(req)
  const { secondStep } = req.session
  if (passportKeys(req, site.passports).every((key) => !(key in req.session))) return
  removeLogin(site, req)
  if (secondStep !== undefined) req.session.secondStep = secondStep
  await saveSession(req)
}

async function meetUser(site: Site, req: Request, user: Express.User): Promise<Visitor> {
  const account = site.describe(user)
  const found = await site.sessions.footing(account.id, account.subject)
  const moved = (await site.lost?.endIfMoved(found.record, account.email)) === true
  const footing = moved ? await site.sessions.footing(account.id, account.subject) : found
  const visitor = signedInVisitor(req, account, footing)
  const now = site.system.now()
  const standing = standingOf(account.id, visitor.stamp, footing, now)
  if (standing === 'passed') return visitor
  // A strategy in front of the guard has signed them in on this very request ("remember me"): no
  // session of before, but a first step of now.
  const demand =
    visitor.stamp === null && wasJustFound(req, user) ? demandOf(footing, now) : 'nothing'
  if (demand !== 'nothing') {
    const asked = demand === 'setup' ? 'setup-required' : 'code-required'
    return becomePendingInPlace(site, req, visitor, asked)
  }
  if (standing !== 'revoked') return becomePendingInPlace(site, req, visitor, standing)
  // A revoked session must not become a first step: whoever holds it starts anew.
  removeUser(req)
  await regenerateSession(req)
  return { kind: 'anonymous' }
}

function signedInVisitor(
  req: Request,
  account: Account<Express.User>,
  footing: Footing,
): SignedInVisitor {
  return { kind: 'signed-in', userId: account.id, account, stamp: stampOf(req), ...footing }
}

/**
 * A session that merely no longer satisfies record or policy. The user goes from the request and
 * from the session, saved before anything else runs: a later `passport.session()`, on a sub-router
 * say, would sign him in again.
 */
async function becomePendingInPlace(
  site: Site,
  req: Request,
  { account, stamp, record, policy, subject }: SignedInVisitor,
  standing: PendingVisitor['standing'],
): Promise<PendingVisitor> {
  const pending = site.sessions.pending({
    userId: account.id,
    epoch: record.epoch,
    next: null,
    passport: { instance: instanceInCharge(req, site.passports).index, user: serialisedUser(req) },
    keepSessionInfo: true,
    locale: account.locale,
    subject,
    stampId: stamp?.id ?? null,
    stampVersion: stamp?.version ?? null,
  })
  removeUser(req)
  removeLogin(site, req)
  req.session.secondStep = { pending }
  await saveSession(req)
  return { kind: 'pending', standing, pending, record, policy, subject }
}

function leadsAstray(site: Site, open: readonly string[], req: Request): boolean {
  const path = askedPath(req, site)
  return isNavigation(req) && !isOurs(path, site.paths) && !isOpen(site, open, req)
}

function isOpen(site: Site, open: readonly string[], req: Request): boolean {
  const path = askedPath(req, site)
  return open.some((folder) => liesUnder(path, `${site.base}${folder}`))
}

function cancels(site: Site, req: Request): boolean {
  return liesUnder(askedPath(req, site), `${site.paths.secondStep}/cancel`)
}

async function rememberDestination(
  site: Site,
  req: Request,
  { pending }: PendingVisitor,
): Promise<void> {
  const next = askedDestination(req, site)
  if (next === null || next === pending.next) return
  updateSecondStep(req, { pending: { ...pending, next } })
  await saveSession(req)
}
