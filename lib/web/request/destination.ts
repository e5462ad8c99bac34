import { posix } from 'node:path'
import type { Request } from 'express'
import { hasAdminRouter } from './mounted-admin.js'
import type { LogInOptions } from './passport.js'
import { decodedPath, isPlain } from './plain-path.js'
import type { Paths, Site } from './site.js'

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

type Places = Pick<Site, 'origin' | 'base' | 'paths'>

/** The destination of a login, by Passport's own rules. */
export function destinationOf(req: Request, options: LogInOptions, site: Places): string | null {
  const { successReturnToOrRedirect, successRedirect } = options
  const returnTo = namedPath(req.session.returnTo, site)
  if (successReturnToOrRedirect !== undefined) {
    return returnTo ?? namedPath(successReturnToOrRedirect, site)
  }
  return namedPath(successRedirect, site) ?? returnTo
}

/**
 * A destination that the host names. Behind a proxy that strips `base`, it may be the path as the
 * app sees it, for example a `returnTo` made of `req.originalUrl`.
 */
function namedPath(destination: unknown, site: Places): string | null {
  const path = pathOnOrigin(destination, site.origin)
  if (path === null) return null
  const withOrigin = typeof destination === 'string' && !destination.startsWith('/')
  const whole = withOrigin || site.base === '' || liesUnder(withoutQuery(path), site.base)
  return keptPath(whole ? path : `${site.base}${path}`, site)
}

/** The requested page, as a destination that may be kept, or null. */
export function askedDestination(req: Request, site: Places): string | null {
  const path = pathOnOrigin(req.originalUrl, site.origin)
  return path === null ? null : keptPath(`${site.base}${path}`, site)
}

/** A path on this origin that may be kept in a session. One below `/lost` has a token in it. */
export function keptPath(
  destination: unknown,
  { origin, paths }: Pick<Places, 'origin' | 'paths'>,
): string | null {
  const path = pathOnOrigin(destination, origin)
  if (path === null) return null
  // In any spelling: doubled slashes and escapes lead to no page, but the token would be kept.
  const plain = posix.normalize(decodedPath(withoutQuery(path)).replaceAll('\\', '/'))
  return liesUnder(plain, `${paths.secondStep}/lost`) ? null : path
}

/** The path that the browser asked for, without the query. The app has seen it without `base`. */
export function askedPath(req: Request, { base }: Pick<Site, 'base'>): string {
  return `${base}${req.originalUrl.split('?', 1)[0] ?? ''}`
}

/** Method and path of the request, for a warning. */
export function shownRoute(req: Request, site: Pick<Site, 'base'>): string {
  return `${req.method} ${askedPath(req, site).slice(0, 100)}`
}

function withoutQuery(path: string): string {
  return path.split(/[?#]/, 1)[0] ?? ''
}

/**
 * Whether a path lies at or below another, compared as Express routes: without case. Only itself lies at one that
 * ends with a slash: below the home page would be everything.
 */
export function liesUnder(path: string, folder: string): boolean {
  const [inner, outer] = [path.toLowerCase(), folder.toLowerCase()]
  return inner === outer || (!outer.endsWith('/') && inner.startsWith(`${outer}/`))
}

/** Whether a path lies at or below one of the folders for everybody who may read it, also behind the app. */
export function liesPlainlyUnder(path: string, ...folders: readonly string[]): boolean {
  return folders.some((folder) => liesUnder(path, folder)) && isPlain(path)
}

/** Whether a path belongs to the package's own routers. */
export function isOurs(path: string, paths: Paths): boolean {
  const { secondStep, admin } = paths
  return liesPlainlyUnder(path, secondStep, ...(hasAdminRouter(paths) ? [admin] : []))
}

const NOT_A_NAVIGATION = ['sec-purpose', 'x-requested-with', 'hx-request', 'turbo-frame']

/**
 * Whether the visitor opens this page: a browser's GET that is neither a prefetch nor from a
 * script.
 */
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
