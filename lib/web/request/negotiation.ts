import type { Request } from 'express'
import type { Site } from './site.js'
import { guardedOf } from './visitor.js'

/** Whether to answer in JSON: the request prefers JSON, or its body is JSON. */
export function wantsJson(req: Request): boolean {
  return Boolean(req.is('application/json')) || req.accepts(['html', 'json']) === 'json'
}

/**
 * The visitor's languages, best first: what the host's function says, then the user's own, then
 * what the browser asks for.
 */
export function languagesOf(site: Pick<Site, 'language'>, req: Request): readonly string[] {
  const visitor = guardedOf(req)?.visitor
  const ownOf = visitor?.kind === 'signed-in' ? visitor.account.locale : null
  const pending = visitor?.kind === 'pending' ? visitor.pending.locale : null
  return [site.language(req), ownOf, pending, ...req.acceptsLanguages()].filter(isLanguage)
}

function isLanguage(language: unknown): language is string {
  return typeof language === 'string' && language !== '*'
}
