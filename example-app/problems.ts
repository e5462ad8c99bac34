import { STATUS_CODES } from 'node:http'
import type { ErrorRequestHandler, Request } from 'express'
import { textsFor } from './texts.js'

/** The pages that can show a problem of their own. */
type Page = 'login' | 'register' | 'problem'

/** Why a request is refused: a problem in JSON, or a page with the same status. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    /** The text that tells of it: `problem.<text>`. */
    readonly text: string,
    readonly page: Page = 'problem',
    /** The fields that it is about; the first is where to mend it. */
    readonly fields: readonly string[] = [],
  ) {
    super(`${code}: ${text}`)
  }
}

/** Whether an answer is to be JSON: the visitor prefers it, or speaks it. */
export function wantsJson(req: Request): boolean {
  return Boolean(req.is('application/json')) || req.accepts(['html', 'json']) === 'json'
}

/** The one place that decides how a refusal looks. */
export const problems: ErrorRequestHandler = (error, req, res, next) => {
  if (res.headersSent) return next(error)
  const { status, code, text, page, fields } = refusalOf(error)
  const detail = textsFor(req).t(`problem.${text}`)
  res.status(status)
  if (!wantsJson(req)) {
    return res.render(page, { problem: detail, problemIn: fields, typed: typedIn(req) })
  }
  const title = STATUS_CODES[status] ?? ''
  const field = code === 'malformed-request' && fields[0] !== undefined ? { field: fields[0] } : {}
  const body = { type: `urn:second-step:${code}`, title, status, code, detail, ...field }
  return res.type('application/problem+json').send(JSON.stringify(body))
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  // Express's body parsers and router throw errors that have a status and may be shown.
  const { status, expose } = Object(error) as { status?: unknown; expose?: unknown }
  if (typeof status === 'number' && status < 500 && expose === true) {
    return new Refusal(status, 'malformed-request', 'unreadable')
  }
  console.error(error)
  return new Refusal(500, 'internal-error', 'failed')
}

/** What a form shows again: never a password. */
function typedIn(req: Request): { email: string; name: string } {
  const { username, email, name } = Object(req.body) as Record<string, unknown>
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  return { email: text(username) || text(email), name: text(name) }
}
