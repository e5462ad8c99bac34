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
  if (origin !== undefined) warnOnce(origin, site)
  return origin !== undefined || fetchSite !== undefined
}

let warned = false

/**
 * Usually another site. But a wrong `origin` refuses every form, and without a warning nobody would
 * know why.
 */
function warnOnce(origin: string, { origins }: Pick<Site, 'origins'>): void {
  if (warned) return
  warned = true
  process.emitWarning(
    `a request from ${origin.slice(0, 200)} was refused as cross-origin. If that is your app, correct the ` +
      `option \`origin\`, or add it to \`origins\`: they say ${[...origins].join(', ')}`,
  )
}
