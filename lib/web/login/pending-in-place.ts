import type { Request } from 'express'
import type { PendingLogin } from '../../domain/pending-login.js'
import type { UserContext } from '../../domain/standing.js'
import { type LoginBefore, replacedBeforeGuard } from '../request/before-guard.js'
import {
  instanceInCharge,
  instanceOf,
  keyInCharge,
  keyOfManager,
  removeUser,
  serialisedUnder,
  unknownInstance,
} from '../request/passport.js'
import { removeLogin, type SecondStepSession, saveSession } from '../request/session.js'
import type { HostApp, Site } from '../request/site.js'
import type { PendingVisitor, SignedInVisitor } from '../request/visitor.js'
import { partWithPending } from './put-pending.js'

/** The pending login that replaces a user in the session. */
export function pendingInPlace(
  site: Site,
  req: Request,
  { userId, account, stamp, record, subject }: SignedInVisitor,
  login: LoginBefore | null,
): PendingLogin {
  const { index, key } = instanceFor(site, req, login)
  return site.sessions.pending({
    userId,
    epoch: record.epoch,
    next: null,
    passport: { instance: index, user: serialisedUnder(req, key) },
    keepSessionInfo: true,
    locale: account.locale,
    subject,
    stampId: stamp?.id ?? null,
    stampVersion: stamp?.version ?? null,
  })
}

/** The instance that has the user in the session: the one in charge, unless another has logged them in before. */
export function instanceFor(
  { passports }: HostApp,
  req: Request,
  login: LoginBefore | null,
): { readonly index: number; readonly key: string } {
  if (login === null) return { ...instanceInCharge(req, passports), key: keyInCharge(req) }
  const { manager } = login
  const instance = instanceOf(manager, passports)
  if (instance === null) throw unknownInstance()
  return { ...instance, key: keyOfManager(manager) }
}

/**
 * Removes the user from the request and from the session, and saves before other code runs:
 * otherwise a later `passport.session()`, for example on a sub-router, would sign them in again.
 */
export async function becomePendingInPlace(
  site: HostApp,
  req: Request,
  standing: PendingVisitor['standing'],
  pending: PendingLogin,
  { record, policy, subject }: UserContext,
): Promise<PendingVisitor> {
  // Passport has emptied the session where it has signed the user in.
  const before = req.session.secondStep ?? replacedBeforeGuard(req)
  removeUser(req)
  removeLogin(site, req)
  req.session.secondStep = partWithPending(before as SecondStepSession | undefined, pending)
  await saveSession(req)
  return { kind: 'pending', standing, pending, record, policy, subject }
}

/** A session that no code has opened becomes a pending login, so that its user gets to what is done there alone. */
export function askAgain(
  site: Site,
  req: Request,
  visitor: SignedInVisitor,
): Promise<PendingVisitor> {
  const pending = pendingInPlace(site, req, visitor, null)
  return becomePendingInPlace(site, req, 'code-required', pending, visitor)
}
