import type { Request, RequestHandler } from 'express'
import { isOneAddress } from '../../domain/address.js'
import { countedName, LONGEST_NAME } from '../../domain/counted-name.js'
import { answeredAtOnce, refuseAsync } from '../../errors/at-once.js'
import { checkCall } from '../../errors/check-call.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import type { Account } from '../../service/accounts.js'
import { malformed } from '../../text/problem.js'
import { answeredSince } from '../request/answered.js'
import { addressKey } from '../request/client-address.js'
import { isCrossOrigin } from '../request/cross-origin.js'
import type { Site } from '../request/site.js'
import { type GuardState, guardStateAt } from '../request/visitor.js'
import { sendProblem } from '../routing/respond.js'

/** Options of `limitPassword()`. */
export interface LimitPasswordOptions {
  /**
   * The account name that the visitor typed. Default: `username` and `email` of the body and of the
   * query; each one present is counted. Names that a database may take for one another (by case,
   * accents, blanks, invisible characters) are counted as one, so that another spelling gets no tries
   * of its own.
   */
  readonly account?: (req: Request) => string | null | undefined
}

/**
 * Mounted before `passport.authenticate()` on the route that takes passwords: limits wrong ones per
 * account and address, and per address. An attempt has succeeded if the gate saw `logIn` with the user
 * whose account was counted: what was typed is exactly the `username` that `describe` tells, or the `id` or
 * `email` of a user without one. A form that another site sent is refused and counts for nothing.
 */
export function limitPassword(site: Site, options: LimitPasswordOptions = {}): RequestHandler {
  checkCall(options, ['account'], 'limitPassword')
  const { account } = options
  if (account !== undefined && typeof account !== 'function') {
    throw new ConfigurationError('`limitPassword.account` must be a function of the request')
  }
  refuseAsync('limitPassword.account', account)
  const accounts = (req: Request) =>
    account === undefined
      ? accountsIn(req)
      : [[null, answeredAtOnce('limitPassword.account', account(req))] as const]
  let warnedOfName = false
  let warnedOfPlace = false
  let warnedOfViews = false
  let warned = false
  const warnOnce = () => {
    if (!warned) warnNoAccount()
    warned = true
  }
  const check = async (...[req, res, next]: Parameters<RequestHandler>): Promise<void> => {
    const state = guardStateAt(site, req)
    // Prevents login forgery. Also, another site could have each of its visitors guess from a
    // different address.
    if (isCrossOrigin(req, site)) return sendProblem(site, req, res, { code: 'cross-origin' })
    const named = accounts(req)
    const odd = named.find(([, name]) => !isName(name))
    if (odd !== undefined) return sendProblem(site, req, res, malformed(odd[0]))
    const given = named.flatMap(([, name]) =>
      name === undefined || name === null ? [] : [`${name}`],
    )
    if (given.length === 0 && req.method === 'POST') warnOnce()
    // An empty field is nobody's name. Counted, it would be one account for everybody at an address.
    const typed = given.filter((name) => name.trim() !== '')
    // Mounted again, as on the path and on the route: one password is counted once for each name.
    const before = state.countedNames
    if (before === null && !warnedOfPlace && isBehindLogin(site, state, typed)) {
      warnedOfPlace = true
      warnBehindLogin()
    }
    const names = before === null ? typed : typed.filter((name) => !before.includes(name))
    if (before !== null && names.length === 0) return next()
    const isAnswered = answeredSince(res)
    const passwordAttempts = async () => (await site.sessions.policy()).passwordAttempts
    const ipKey = addressKey(req, site)
    const attempt = { names, ipKey, passwordAttempts, again: before !== null }
    const places = await site.passwordLimits.takeForPassword(attempt)
    if (isAnswered()) return
    if (places.kind === 'too-many-attempts') {
      if (given.length === 0 && !mayHavePassword(req) && !warnedOfViews) {
        warnedOfViews = true
        warnViews()
      }
      return sendProblem(site, req, res, { code: places.kind, retryAfter: places.retryAfter })
    }
    state.countedNames = [...(before ?? []), ...names]
    const { onFirstStep: forgiveBefore } = state
    state.onFirstStep = (account) => {
      forgiveBefore?.(account)
      const own = namesOf(site, account)
      const all = state.countedNames ?? []
      const forgiven = places.forgive(own, all)
      if (all.length === 0 && mayHavePassword(req)) warnOnce()
      if (forgiven || all.length === 0 || warnedOfName || areAlike(own, all)) return
      warnedOfName = true
      warnUnknownName()
    }
    next()
  }
  return (req, res, next) => {
    check(req, res, next).catch(next)
  }
}

/**
 * Counts all of them: nobody knows which one the host's strategy reads, and the others may be made
 * up. passport-local reads the query if the body has no value.
 */
function accountsIn(req: Request): ReadonlyArray<readonly [field: string, account: unknown]> {
  return [req.body, req.query].flatMap((fields: unknown) => {
    const { username, email } = Object(fields) as { username?: unknown; email?: unknown }
    return [['username', username] as const, ['email', email] as const]
  })
}

/**
 * The strategy might read a list or an object as an account's name, and it would not be counted. Nor
 * would a long text, which is another name of somebody's where blanks at its end don't count.
 */
function isName(account: unknown): boolean {
  if (account === undefined || account === null || typeof account === 'number') return true
  return typeof account === 'string' && account.length <= LONGEST_NAME
}

/**
 * The names with which only this user signs in. A display name is not one, because anybody can
 * choose it. Where users sign in by something else, neither is the e-mail, for the same reason.
 */
function namesOf(site: Site, { id, email, username }: Account): readonly string[] {
  if (username !== null) return [username]
  const hostId = site.hostIdOf(id) ?? ''
  const signsInByEmail = email !== null && isOneAddress(email) && !isOneAddress(hostId)
  return signsInByEmail ? [hostId, email] : [hostId]
}

/** A name typed with capitals, for example, uses up a place, but `describe` is right. */
function areAlike(names: readonly string[], typed: readonly string[]): boolean {
  const counted = typed.map(countedName)
  return names.some((name) => counted.includes(countedName(name)))
}

/** Whether this very password has signed its user in already, and not what a browser is remembered by. */
function isBehindLogin(site: Site, state: GuardState, typed: readonly string[]): boolean {
  const { calledLogIn, visitor } = state
  if (!calledLogIn || visitor.kind !== 'signed-in') return false
  return areAlike(namesOf(site, visitor.account), typed)
}

/** Wrong passwords never come so far: none would be counted, and right ones would. */
function warnBehindLogin(): void {
  process.emitWarning(
    'passport-second-step: limitPassword() runs when the password has signed in already, so it counts no wrong one: ' +
      'mount it in front, app.post(path, secondStep.limitPassword(), passport.authenticate(…))',
  )
}

/** Views of a form count as passwords do, since nobody can tell what a strategy reads. */
function warnViews(): void {
  process.emitWarning(
    'passport-second-step: limitPassword() refuses requests that give no account: mount it on the route that takes ' +
      'passwords alone, app.post(path, secondStep.limitPassword(), …), and not by app.use()',
  )
}

/** Without a warning, each login of this user would use up a place, and nobody would know why. */
function warnUnknownName(): void {
  process.emitWarning(
    'passport-second-step: limitPassword() counts a login as a miss, because the user who signed in is not known by ' +
      'the name that was typed: have `describe` tell as `username` what users sign in with, or tell no `username` ' +
      'where that is their `email` or `id`',
  )
}

/** Whoever comes back from a sign-in provider by a GET has typed no password here. */
function mayHavePassword(req: Request): boolean {
  return !['GET', 'HEAD'].includes(req.method) || /^basic /i.test(req.get('authorization') ?? '')
}

/**
 * Without a warning, a login form of another shape would be limited per address only, and nobody
 * would notice.
 */
function warnNoAccount(): void {
  process.emitWarning(
    'passport-second-step: limitPassword() found no account in a login: mount it after the body parser, or tell it where ' +
      'the account is, limitPassword({ account: (req) => req.body.login })',
  )
}
