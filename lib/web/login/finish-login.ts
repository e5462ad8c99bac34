import type { Request } from 'express'
import type { PendingLogin } from '../../domain/pending-login.js'
import type { Generation, Method, Stamp } from '../../domain/stamp.js'
import type { UserContext } from '../../domain/standing.js'
import { withTimeout } from '../../ports/with-timeout.js'
import type { Account } from '../../service/accounts.js'
import type { KeptCodes } from '../../service/shown-codes.js'
import type { Notice } from '../../text/pages.js'
import { pathOnOrigin } from '../request/destination.js'
import { keepsOfPending } from '../request/kept-keys.js'
import { putInCharge } from '../request/passport.js'
import { deserialise } from '../request/serialise.js'
import type { HostApp, Site } from '../request/site.js'
import type { PendingVisitor } from '../request/visitor.js'
import { enter } from './enter.js'

/**
 * The user of a pending login, from the Passport instance that serialised them.
 *
 * @returns undefined where the host says that they are gone, or answers with somebody else
 * @throws UnavailableError where the host cannot say
 */
export async function accountOfPending(
  site: HostApp,
  req: Request,
  { pending }: Pick<PendingVisitor, 'pending'>,
): Promise<Account<Express.User> | undefined> {
  const passport = site.passports[pending.passport.instance]
  if (passport === undefined) return undefined
  const load = () => deserialise(passport, pending.passport.user, req)
  const user = await withTimeout('the user store', load, site.timeout)
  const account = user === undefined ? undefined : site.describe(user)
  return account?.id === pending.userId ? account : undefined
}

/**
 * Ends a pending login with a sign-in. Call it after the record is written; it then changes the
 * session.
 *
 * @returns where the visitor was going
 */
export async function finishLogin(
  site: Site,
  req: Request,
  login: { readonly pending: PendingLogin } & UserContext,
  passed: {
    account: Account<Express.User>
    method: Method
    given: Generation
    pageBetween?: boolean
    notice?: Notice | undefined
    /** Keeps the codes of the page in between, for its reload. */
    keepCodes?: (stamp: Stamp) => Promise<KeptCodes | null>
  },
): Promise<string> {
  const { pending, record, policy, subject } = login
  const passport = site.passports[pending.passport.instance]
  if (passport !== undefined) putInCharge(req, passport)
  const next = pathOnOrigin(pending.next, site.origin) ?? site.paths.signedIn
  const owner = { userId: pending.userId, instance: pending.passport.instance }
  const stamp = site.sessions.stamp(owner, passed.given, passed.method)
  await enter(site, req, {
    account: passed.account,
    stamp,
    userContext: { record, policy, subject },
    keeps: keepsOfPending(site, req, pending),
    next: passed.pageBetween === true ? next : undefined,
    notice: passed.notice,
    // An accepted code or a set-up has ended the pending login in its own write.
    recorded: passed.method !== 'none',
    shown: (await passed.keepCodes?.(stamp)) ?? null,
  })
  return next
}
