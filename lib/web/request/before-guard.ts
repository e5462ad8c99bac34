import type { Request } from 'express'
import { ConfigurationError } from '../../errors/configuration-error.js'
import { keyInCharge, noteUserProperty, type SessionManager, userProperty } from './passport.js'
import { RequestNotes } from './request-notes.js'
import type { HostApp } from './site.js'
import { requestBehind } from './wrapped-request.js'

/** How an instance has put a user on the request. */
interface Arrival {
  /** Of the session in which it has found them. Null where it has signed them in. */
  readonly key: string | null
  readonly property: string
  readonly user: Express.User
}

const NOBODY: readonly Arrival[] = []
const arrivals = new RequestNotes<readonly Arrival[]>()
/** How many of them a guard has checked. */
const checked = new RequestNotes<number>()
/** The users found through an object that stands for the request. */
const foundThrough = new RequestNotes<readonly Express.User[]>()

/** Notes the user whom a `session()` has found under a key of the session. */
export function noteSession(req: Request, key: string, user: Express.User): void {
  noteArrival(req, user, key)
  const behind = requestBehind(req) ?? req
  if (behind !== req) foundThrough.set(behind, [...(foundThrough.get(behind) ?? []), user])
}

/** Notes a user whom an instance has put on the request. */
export function noteArrival(req: Request, user: Express.User, key: string | null = null): void {
  noteUserProperty(req)
  const arrival = { key, property: userProperty(req), user }
  arrivals.set(req, [...(arrivals.get(req) ?? NOBODY), arrival])
}

/** The users whom a `session()` has found in the request's session. */
export function usersOfSession(req: Request): readonly Express.User[] {
  const found = (arrivals.get(req) ?? NOBODY).filter(({ key }) => key !== null)
  return [...found.map(({ user }) => user), ...(foundThrough.get(req) ?? [])]
}

/**
 * Called by a guard, which checks the user under the property of the instance in charge.
 *
 * @throws ConfigurationError where an instance before that one has put a user on the request whom nobody would
 *   look at: under a property of its own, or out of a key of its own
 */
export function requireOneInstance(req: Request): void {
  const noted = arrivals.get(req) ?? NOBODY
  const from = checked.get(req) ?? 0
  if (noted.length === from) return
  checked.set(req, noted.length)
  const [key, property] = [keyInCharge(req), userProperty(req)]
  const unmet = noted.slice(from).find((one) => {
    const there: unknown = Reflect.get(req, one.property) ?? null
    // The app may have replaced them by a fuller user.
    if (one.property !== property) return there !== null
    // A login notes its instance, so that the guard can meet its user.
    return one.key !== null && one.key !== key && there === one.user
  })
  if (unmet !== undefined) throw unmet.key === null ? anothersLogin(unmet) : twoSessions()
}

function twoSessions(): ConfigurationError {
  return new ConfigurationError(
    'two Passport instances stand in front of one guard(), which can meet the users of the last one only: ' +
      'mount guard() after the session() of the first; those that follow are met by themselves',
  )
}

function anothersLogin({ property }: Arrival): ConfigurationError {
  return new ConfigurationError(
    `in front of guard(), a Passport instance signs a user in under \`req.${property}\`, and then another instance takes ` +
      'over, so guard() cannot meet that user: mount guard() in front of that login, behind the first session()',
  )
}

/** A login by Passport itself, because no guard has seen the request yet. */
export interface LoginBefore {
  readonly user: Express.User
  /** The session manager of the instance that has signed them in. */
  readonly manager: SessionManager
  /** Whether the session had no user: a first step. */
  readonly isFirst: boolean
  /** Our part of the session that it replaced. */
  readonly secondStep: unknown
}

const loginsBefore = new RequestNotes<readonly LoginBefore[]>()

/** Notes a login that Passport has done. */
export function noteLogin(req: Request, login: LoginBefore): void {
  noteArrival(req, login.user)
  loginsBefore.set(req, [...(loginsBefore.get(req) ?? []), login])
}

/** The login of this very request that has put this user into the session, or null. */
export function loginBeforeGuard(
  site: Describing,
  req: Request,
  user: Express.User,
): LoginBefore | null {
  const [first, ...more] = loginsBefore.get(req) ?? []
  if (first === undefined) return null
  // Whoever is logged in again, as by a fuller copy, goes on with their first step.
  const goesOn = (before: LoginBefore, next: LoginBefore) =>
    before.isFirst && isSameUser(site, before.user, next.user) ? before : next
  const login = more.reduce(goesOn, first)
  return isSameUser(site, login.user, user) ? login : null
}

type Describing = Pick<HostApp, 'describe'>

/** Whether they are one user. The app may have put a fuller one in place of the one that Passport had. */
export function isSameUser(
  { describe }: Describing,
  one: Express.User,
  other: Express.User,
): boolean {
  if (one === other) return true
  try {
    return describe(one).id === describe(other).id
  } catch {
    return false
  }
}

const replacedBefore = new RequestNotes<{ readonly secondStep: unknown }>()

/** Notes our part of the session that a login in front of the guard replaces. The first is the browser's. */
export function noteReplaced(req: Request, secondStep: unknown): void {
  if (replacedBefore.get(req) === undefined) replacedBefore.set(req, { secondStep })
}

/** Our part of the session that a login in front of the guard has replaced, if any. */
export function replacedBeforeGuard(req: Request): unknown {
  return replacedBefore.get(req)?.secondStep
}
