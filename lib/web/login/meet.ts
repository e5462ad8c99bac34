import type { Request } from 'express'
import type { PendingLogin } from '../../domain/pending-login.js'
import type { Stamp } from '../../domain/stamp.js'
import { demandOf, pendingStandingOf, standingOf, type UserContext } from '../../domain/standing.js'
import type { Account } from '../../service/accounts.js'
import { type LoginBefore, loginBeforeGuard, replacedBeforeGuard } from '../request/before-guard.js'
import { askedPath, liesPlainlyUnder } from '../request/destination.js'
import { passportKeys, removeUser, userOf } from '../request/passport.js'
import { replaceSession } from '../request/replaced-session.js'
import {
  heldIn,
  pendingIn,
  pendingOf,
  removeLogin,
  type SecondStepSession,
  saveSession,
  stampOf,
} from '../request/session.js'
import { cameWithoutSession } from '../request/session-login.js'
import { stampOfUser } from '../request/session-stamp.js'
import type { HostApp, Services, Site } from '../request/site.js'
import { holdsUnknownLogin, unknownLogin } from '../request/unknown-login.js'
import type { SignedInVisitor, Visitor } from '../request/visitor.js'
import { writeStamp } from '../request/written-stamp.js'
import { byTrust } from './by-trust.js'
import { accountOfPending, finishLogin } from './finish-login.js'
import { becomePendingInPlace, instanceFor, pendingInPlace } from './pending-in-place.js'
import { warnOfNoSession } from './warn-of-no-session.js'

/** Whether the page is one of signing in and out. */
type IsOpen = () => boolean

/**
 * Identifies the visitor, and removes a user who may not be signed in. Saves its changes before
 * other code runs.
 */
export function meet(site: Site, req: Request, isOpen: IsOpen): Promise<Visitor> {
  const user = userOf(req)
  const login = user === undefined ? null : loginBeforeGuard(site, req, user)
  if (user !== undefined && login?.isFirst === true)
    return meetLogin(site, req, user, login, isOpen)
  const pending = pendingOf(site, req)
  if (pending !== null) return meetPending(site, req, pending, isOpen)
  return user === undefined
    ? Promise.resolve({ kind: 'anonymous' })
    : meetUser(site, req, user, login, isOpen)
}

async function meetPending(
  site: Site,
  req: Request,
  pending: PendingLogin | 'broken',
  isOpen: IsOpen,
): Promise<Visitor> {
  await removeUserBeside(site, req)
  if (pending === 'broken') return { kind: 'over' }
  const userContext = await site.sessions.userContext(pending.userId, pending.subject)
  const standing = pendingStandingOf(pending, userContext, site.system.now())
  if (standing === 'over') return { kind: 'over' }
  if (standing !== 'free') return { kind: 'pending', standing, pending, ...userContext }
  // A request to sign in, sign out or cancel does not need to be let in.
  const cancel = `${site.paths.secondStep}/cancel`
  const isOut = isOpen() || liesPlainlyUnder(askedPath(req, site), cancel)
  return isOut ? { kind: 'over' } : setFree(site, req, { pending, ...userContext })
}

/**
 * The first step is enough now: while the login waited, the rule was eased, or an admin paused or
 * turned off the second step.
 */
async function setFree(
  site: Site,
  req: Request,
  login: { readonly pending: PendingLogin } & UserContext,
): Promise<Visitor> {
  const account = await accountOfPending(site, req, login)
  if (account === undefined) return { kind: 'over' }
  const { pending, ...userContext } = login
  const passed = { account, method: 'none', given: userContext.record, pageBetween: true } as const
  await finishLogin(site, req, login, passed)
  return signedInVisitor(site, req, account, userContext)
}

/** Takes the user away, and leaves our key: beside a pending login, or one of nobody's, there is no user. */
async function removeUserBeside(site: HostApp, req: Request): Promise<void> {
  removeUser(req)
  const { secondStep } = req.session
  if (passportKeys(req, site.passports).every((key) => !(key in req.session))) return
  removeLogin(site, req)
  if (secondStep !== undefined) req.session.secondStep = secondStep
  await saveSession(req)
}

/**
 * Null, and nobody is on the request, for a user whom the app describes wrongly, on a page of
 * signing in and out: it must answer them, too, or nobody could end their session.
 */
function describedOrNobody(
  site: Site,
  req: Request,
  user: Express.User,
  isOpen: IsOpen,
): Account<Express.User> | null {
  try {
    return site.describe(user)
  } catch (error) {
    if (!isOpen()) throw error
    site.failureReporter.report(error)
    removeUser(req)
    return null
  }
}

async function meetUser(
  site: Site,
  req: Request,
  user: Express.User,
  login: LoginBefore | null,
  isOpen: IsOpen,
): Promise<Visitor> {
  const account = describedOrNobody(site, req, user, isOpen)
  // The session keeps its login: a log-out ends it in the record, and elsewhere it is met again.
  if (account === null) return { kind: 'anonymous' }
  if (isUnknown(site, req, user)) {
    site.failureReporter.report(unknownLogin())
    await removeUserBeside(site, req)
    return { kind: 'anonymous' }
  }
  const found = await site.sessions.guardContext(account.id, account.subject)
  const userContext = await withoutMovedReset(site, account, found)
  const carried = login === null ? null : carriedOver(site, req, account, login)
  const own = signedInVisitor(site, req, account, userContext)
  const visitor = carried === null ? own : { ...own, stamp: carried.stamp }
  const standing = standingOf(account.id, visitor.stamp, userContext, site.system.now())
  if (standing === 'passed') {
    if (carried !== null) {
      req.session.secondStep = carried.secondStep
      await saveSession(req)
    }
    return visitor
  }
  if (cameWithoutSession(site, req, user)) {
    warnOfNoSession(site)
    // A pending login could not end, and the session is not theirs.
    removeUser(req)
    return { kind: 'anonymous' }
  }
  if (standing !== 'revoked') {
    const pending = pendingInPlace(site, req, visitor, login)
    return becomePendingInPlace(site, req, standing, pending, visitor)
  }
  // A revoked session must not become a pending login: its holder has to sign in again.
  removeUser(req)
  await replaceSession(req, () => undefined)
  return { kind: 'anonymous' }
}

/** Whether the session's user has no login of this site's. The session stays, since another site may go on in it. */
function isUnknown(site: Site, req: Request, user: Express.User): boolean {
  const secondStep = req.session.secondStep ?? replacedBeforeGuard(req)
  return holdsUnknownLogin(site, secondStep) && !cameWithoutSession(site, req, user)
}

/**
 * Our part of the session that a login in front of the guard has replaced, where this user's stamp is in it.
 * Passport has dropped it, and a header of a single sign-on logs in at every request.
 */
function carriedOver(
  site: Site,
  req: Request,
  { id }: Account,
  login: LoginBefore,
): { readonly stamp: Stamp; readonly secondStep: SecondStepSession } | null {
  const secondStep = replacedBeforeGuard(req)
  const held = heldIn(site, { secondStep })
  if (held?.kind !== 'stamp' || stampOf(site, req) !== null) return null
  const { login: stamp } = held
  const { index } = instanceFor(site, req, login)
  if (stamp.userId !== id || stamp.instance !== index) return null
  return { stamp, secondStep: secondStep as SecondStepSession }
}

/**
 * Middleware in front of the guard, for example "remember me", has signed the user in on this
 * request. That is a first step, as at the gate. If this happens at every request, the earlier
 * pending login continues, so that nobody can reset its time and its wrong codes.
 */
async function meetLogin(
  site: Site,
  req: Request,
  user: Express.User,
  login: LoginBefore,
  isOpen: IsOpen,
): Promise<Visitor> {
  const account = describedOrNobody(site, req, user, isOpen)
  if (account === null) {
    removeLogin(site, req)
    await saveSession(req)
    return { kind: 'anonymous' }
  }
  const { id: userId, subject } = account
  const found = await site.sessions
    .userContextAtLogin(userId, subject)
    .catch((error: unknown) => refuseLogin(site, req, error))
  const userContext = await withoutMovedReset(site, account, found)
  const now = site.system.now()
  const demand = demandOf(userContext, now)
  const owner = { userId, instance: instanceFor(site, req, login).index }
  const passed =
    demand === 'nothing'
      ? { stamp: site.sessions.stamp(owner, userContext.record, 'none'), userContext }
      : await byTrust(site, req, owner, userContext).catch((error) => refuseLogin(site, req, error))
  if (passed !== null) {
    req.session.secondStep = { verified: writeStamp(passed.stamp) }
    await saveSession(req)
    return signedInVisitor(site, req, account, passed.userContext)
  }
  const before = pendingIn(site, login.secondStep)
  if (before !== null && before !== 'broken' && before.userId === userId) {
    const standing = pendingStandingOf(before, userContext, now)
    if (standing !== 'over' && standing !== 'free') {
      return becomePendingInPlace(site, req, standing, before, userContext)
    }
  }
  const standing = demand === 'setup' ? 'setup-required' : 'code-required'
  const visitor: SignedInVisitor = {
    kind: 'signed-in',
    userId,
    account,
    stamp: null,
    ...userContext,
  }
  const pending = pendingInPlace(site, req, visitor, login)
  return becomePendingInPlace(site, req, standing, pending, userContext)
}

/** Otherwise the next request would find them signed in, as by a session older than the package. */
async function refuseLogin(site: HostApp, req: Request, error: unknown): Promise<never> {
  removeUser(req)
  removeLogin(site, req)
  await saveSession(req)
  throw error
}

/** Ends an open reset if the user's address has changed since. */
function withoutMovedReset(
  site: Services,
  account: Account,
  found: UserContext,
): UserContext | Promise<UserContext> {
  return found.record.mailReset === null ? found : afterMovedReset(site, account, found)
}

async function afterMovedReset(
  site: Services,
  { id, email, subject }: Account,
  found: UserContext,
): Promise<UserContext> {
  const moved = (await site.lost?.endIfMoved(found.record, email)) === true
  return moved ? site.sessions.userContext(id, subject) : found
}

function signedInVisitor(
  site: Site,
  req: Request,
  account: Account<Express.User>,
  userContext: UserContext,
): SignedInVisitor {
  return {
    kind: 'signed-in',
    userId: account.id,
    account,
    stamp: stampOfUser(site, req, account),
    ...userContext,
  }
}
