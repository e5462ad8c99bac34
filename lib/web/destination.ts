import type { Request } from 'express'
import type { LogInOptions } from './passport.js'
import type { Paths } from './site.js'

const LONGEST = 2048

/**
 * A destination as a path on this origin, or null. Browsers read `//evil`, `/\evil` and a tab
 * between two slashes as another host; so does the parser used here, and what it makes is looked at
 * again.
 */
export function pathOnOrigin(destination: unknown, origin: string): string | null {
  if (typeof destination !== 'string' || destination.length > LONGEST) return null
  if (!destination.startsWith('/') && !destination.startsWith(`${origin}/`)) return null
  if (!URL.canParse(destination, origin)) return null
  const url = new URL(destination, origin)
  if (url.origin !== new URL(origin).origin) return null
  const path = `${url.pathname}${url.search}${url.hash}`
  return path.startsWith('//') ? null : path
}

/** Where a login was going, by Passport's own rules. */
export function destinationOf(
  req: Request,
  options: LogInOptions,
  site: { readonly origin: string; readonly paths: Paths },
): string | null {
  const { successReturnToOrRedirect, successRedirect } = options
  const returnTo = keptPath(req.session.returnTo, site)
  if (successReturnToOrRedirect !== undefined) {
    return returnTo ?? keptPath(successReturnToOrRedirect, site)
  }
  return keptPath(successRedirect, site) ?? returnTo
}

/** A path on this origin that may be kept in a session. One below `/lost` has a token in it. */
export function keptPath(
  destination: unknown,
  { origin, paths }: { readonly origin: string; readonly paths: Paths },
): string | null {
  const path = pathOnOrigin(destination, origin)
  if (path === null) return null
  // However it is written: doubled slashes and escapes lead nowhere, but the token would be kept.
  const plain = unescaped(path.split(/[?#]/, 1)[0] ?? '').replace(/[/\\]+/g, '/')
  return liesUnder(plain, `${paths.secondStep}/lost`) ? null : path
}

function unescaped(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** The path that the browser asked for, without the query. */
export function askedPath(req: Request): string {
  return req.originalUrl.split('?', 1)[0] ?? '/'
}

/** Whether a path lies at or below another, compared as Express routes: without case. */
export function liesUnder(path: string, folder: string): boolean {
  const [inner, outer] = [path.toLowerCase(), folder.toLowerCase()]
  return inner === outer || inner.startsWith(`${outer}/`)
}

/** Whether a path belongs to the package's own routers. */
export function isOurs(path: string, paths: Paths): boolean {
  return liesUnder(path, paths.secondStep) || liesUnder(path, paths.admin)
}

const NOT_A_NAVIGATION = ['sec-purpose', 'x-requested-with', 'hx-request', 'turbo-frame']

/** Whether somebody wants to see this page: a browser's GET, neither fetched ahead nor by script. */
export function isNavigation(req: Request): boolean {
  const mode = req.get('sec-fetch-mode')
  const dest = req.get('sec-fetch-dest')
  return (
    req.method === 'GET' &&
    (req.get('accept') ?? '').includes('text/html') &&
    (mode === undefined || mode === 'navigate') &&
    (dest === undefined || dest === 'document') &&
    NOT_A_NAVIGATION.every((header) => req.get(header) === undefined)
  )
}
