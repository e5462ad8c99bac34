import type { RequestHandler } from 'express'
import { Refusal } from './problems.js'

const SAFE = ['GET', 'HEAD', 'OPTIONS']

/**
 * Refuses what a page of another site sends: a form there could register an account or sign a visitor in.
 * Browsers tell by `Origin` and `Sec-Fetch-Site`; a request with neither is no browser's.
 */
export function refuseOtherSites(ownOrigin: string): RequestHandler {
  return (req, _res, next) => {
    const [origin, fetchSite] = [req.get('origin'), req.get('sec-fetch-site')]
    const isOwn = origin === ownOrigin || fetchSite === 'same-origin' || fetchSite === 'none'
    const isNoBrowser = origin === undefined && fetchSite === undefined
    if (SAFE.includes(req.method) || isOwn || isNoBrowser) return next()
    throw new Refusal(403, 'cross-origin', 'cross-origin')
  }
}
