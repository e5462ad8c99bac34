import type { Request } from 'express'
import { isOfType } from './content-type.js'
import type { Site } from './site.js'
import { knownGuardStateOf } from './visitor.js'

/** Whether to answer in JSON: the request prefers JSON, or its body is JSON. */
export function wantsJson(req: Request): boolean {
  return isOfType(req, ['application/json']) || req.accepts(['html', 'json']) === 'json'
}

/** In characters. Browsers send far fewer than 200, and it is read several times for one page. */
const LONGEST_ACCEPT_LANGUAGE = 1000

/**
 * The visitor's languages, best first: what the host's function says, then the user's own, then
 * what the browser asks for.
 */
export function languagesOf(site: Pick<Site, 'language'>, req: Request): readonly string[] {
  const visitor = knownGuardStateOf(req)?.visitor
  const ownOf = visitor?.kind === 'signed-in' ? visitor.account.locale : null
  const pending = visitor?.kind === 'pending' ? visitor.pending.locale : null
  return [site.language(req), ownOf, pending, ...languagesOfBrowser(req)].filter(isLanguage)
}

function languagesOfBrowser(req: Request): readonly string[] {
  const { length } = req.get('accept-language') ?? ''
  return length > LONGEST_ACCEPT_LANGUAGE ? [] : req.acceptsLanguages()
}

function isLanguage(language: unknown): language is string {
  return typeof language === 'string' && language !== '*'
}
