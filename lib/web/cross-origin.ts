import type { Request } from 'express'
import type { Site } from './site.js'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Whether another site started an unsafe request. Browsers say so in `Origin` or `Sec-Fetch-Site`;
 * only a request with neither is no browser's.
 */
export function isCrossOrigin(req: Request, site: Pick<Site, 'origins'>): boolean {
  if (SAFE.has(req.method)) return false
  const [origin, fetchSite] = [req.get('origin'), req.get('sec-fetch-site')]
  if (origin !== undefined && site.origins.has(origin)) return false
  if (fetchSite !== undefined) return fetchSite !== 'same-origin' && fetchSite !== 'none'
  return origin !== undefined
}
