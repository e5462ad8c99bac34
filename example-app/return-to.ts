import type { CookieOptions, Request, RequestHandler, Response } from 'express'

const NAME = 'return-to'
const MINUTES = 10
const NOWHERE = 'http://nowhere.invalid'

/**
 * Remembers in a cookie where a stranger was going. In the session it would make one for every robot
 * that asks for a page.
 */
export function rememberWhere(req: Request, res: Response): void {
  keep(req, res, req.originalUrl)
}

/** Before the login: Passport and the second step look for the destination in the session. */
export const takeUpWhere: RequestHandler = (req, res, next) => {
  const text = cookieOf(req)
  const path = pathHere(text)
  if (text !== null) res.clearCookie(NAME, optionsFor(req))
  if (path !== null) req.session.returnTo = path
  next()
}

/** After a login that was refused: it leaves no session either. */
export function putBackWhere(req: Request, res: Response): void {
  const { returnTo } = req.session
  if (returnTo === undefined) return
  delete req.session.returnTo
  keep(req, res, returnTo)
}

function keep(req: Request, res: Response, path: string): void {
  res.cookie(NAME, path, { ...optionsFor(req), maxAge: MINUTES * 60_000 })
}

/** Only the login reads it. */
function optionsFor({ session }: Request): CookieOptions {
  return { path: '/login', httpOnly: true, sameSite: 'lax', secure: session.cookie.secure === true }
}

function cookieOf(req: Request): string | null {
  const [, value] = /(?:^|; *)return-to=([^;]*)/.exec(req.get('cookie') ?? '') ?? []
  try {
    return value === undefined ? null : decodeURIComponent(value)
  } catch {
    return null
  }
}

/** A path of this site, or null: browsers read `//evil.example` and `/\evil.example` as another one. */
function pathHere(text: string | null): string | null {
  if (text === null || !text.startsWith('/') || !URL.canParse(text, NOWHERE)) return null
  const { origin, pathname, search } = new URL(text, NOWHERE)
  return origin === NOWHERE && !pathname.startsWith('//') ? `${pathname}${search}` : null
}
