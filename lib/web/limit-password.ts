import type { Request, RequestHandler } from 'express'
import { addressKey } from './client-address.js'
import { sendProblem } from './respond.js'
import type { Site } from './site.js'
import { guardedStateOf } from './visitor.js'

/** Options of `limitPassword()`. */
export interface LimitPasswordOptions {
  /**
   * The account that a password is tried for. Default: the body's `username`, else its `email`.
   * Case, surrounding blanks and Unicode forms are made one, so that no other way to write an
   * address has attempts of its own.
   */
  readonly account?: (req: Request) => string | null | undefined
}

/**
 * Mounted before `passport.authenticate()` on the route that takes passwords: limits wrong ones per
 * account and address, and per address. An attempt has succeeded if the gate saw `logIn`.
 */
export function limitPassword(site: Site, options: LimitPasswordOptions = {}): RequestHandler {
  const accountOf = options.account ?? accountInBody
  const check = async (...[req, res, next]: Parameters<RequestHandler>): Promise<void> => {
    const state = guardedStateOf(req)
    const { passwordAttempts } = await site.sessions.policy()
    const ipKey = addressKey(req)
    const account = canonical(accountOf(req))
    const places = await site.limits.takeForPassword({ account, ipKey, passwordAttempts })
    if (places.kind === 'too-many-attempts') {
      return sendProblem(site, req, res, { code: places.kind, retryAfter: places.retryAfter })
    }
    if (places.kind === 'taken') state.onFirstStep = () => void places.giveBack('all')
    next()
  }
  return (req, res, next) => {
    check(req, res, next).catch(next)
  }
}

function accountInBody(req: Request): string | undefined {
  const body = Object(req.body) as { username?: unknown; email?: unknown }
  return [body.username, body.email].find((value) => typeof value === 'string')
}

function canonical(account: string | null | undefined): string | null {
  return typeof account === 'string' ? account.normalize('NFKC').trim().toLowerCase() : null
}
