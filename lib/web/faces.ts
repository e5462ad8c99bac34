import type { Request } from 'express'

/** Whether an answer is to be JSON: the visitor prefers it, or speaks it. */
export function wantsJson(req: Request): boolean {
  return Boolean(req.is('application/json')) || req.accepts(['html', 'json']) === 'json'
}

/** The visitor's languages, best first. */
export function languagesOf(req: Request): readonly string[] {
  return req.acceptsLanguages().filter((language) => language !== '*')
}
