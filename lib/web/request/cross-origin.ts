import type { Request } from 'express'
import type { Site } from './site.js'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Whether another site started an unsafe request. */
export function isCrossOrigin(req: Request, site: Pick<Site, 'origins'>): boolean {
  if (SAFE.has(req.method)) return false
  return isFromElsewhere(req.get('origin'), req.get('sec-fetch-site'), site)
}

/**
 * Whether another site started a request, whatever its method: a web-socket upgrade is a GET. Browsers say so in
 * `Origin` or `Sec-Fetch-Site`; only a request with neither is no browser's.
 */
export function isFromElsewhere(
  origin: string | undefined,
  fetchSite: string | undefined,
  site: Pick<Site, 'origins'>,
): boolean {
  if (origin !== undefined && site.origins.has(origin)) return false
  if (fetchSite === 'same-origin' || fetchSite === 'none') return false
  if (origin !== undefined) warnOnce(origin.slice(0, LONGEST_SHOWN), site)
  return origin !== undefined || fetchSite !== undefined
}

const LONGEST_SHOWN = 200
/** Strangers choose what `Origin` says. */
const WARNINGS_AT_MOST = 10

const warned = new WeakMap<Site['origins'], Set<string>>()

/**
 * Usually another site. But a wrong `origin` refuses every form, and without a warning nobody would
 * know why. Told once for each origin: one's own may come behind another site's.
 */
function warnOnce(origin: string, { origins }: Pick<Site, 'origins'>): void {
  const told = warned.get(origins) ?? new Set()
  if (told.has(origin) || told.size >= WARNINGS_AT_MOST) return
  warned.set(origins, told.add(origin))
  process.emitWarning(
    `passport-second-step: a request from ${origin} was refused as cross-origin. If that is your app, correct the ` +
      `option \`origin\`, or add it to \`origins\`: they say ${[...origins].join(', ')}`,
  )
}
