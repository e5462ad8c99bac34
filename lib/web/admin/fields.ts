import type { Request } from 'express'
import { readReason } from '../../domain/reason.js'
import { malformed, type Problem } from '../../text/problem.js'

const DAYS_AT_MOST = 365

/** The body's members; none where there is no body, undefined for a list or the like. */
export function membersOf(req: Request): Readonly<Record<string, unknown>> | undefined {
  const body: unknown = req.body ?? {}
  const right = typeof body === 'object' && body !== null && !Array.isArray(body)
  return right ? Object.fromEntries(Object.entries(body)) : undefined
}

/** Why it is done: null where nothing is given, undefined for what is no reason. */
export function reasonOf(req: Request): string | null | undefined {
  const members = membersOf(req)
  if (members === undefined) return undefined
  const { reason = '' } = members
  return typeof reason === 'string' ? readReason(reason) : undefined
}

/** A field of the body that is not what it must be; a body that has no fields is wrong as a whole. */
export function malformedField(req: Request, field: string | null): Problem {
  return malformed(membersOf(req) === undefined ? null : field)
}

/** Days of a pause: a whole number in JSON, digits in a form, or the word `forever`. */
export function daysOf(req: Request): number | 'forever' | undefined {
  const { days } = membersOf(req) ?? {}
  if (days === 'forever') return days
  return wholeNumber(req, days, 1, DAYS_AT_MOST)
}

/** A whole number in these bounds: a number in JSON, digits in a form. */
export function wholeNumber(
  req: Request,
  value: unknown,
  least: number,
  most: number,
): number | undefined {
  const number = isJson(req) ? value : digits(value)
  const right = typeof number === 'number' && Number.isInteger(number)
  return right && number >= least && number <= most ? number : undefined
}

/** A member that is true or false: in a form, the word. */
export function trueOrFalse(req: Request, value: unknown): boolean | undefined {
  if (isJson(req)) return typeof value === 'boolean' ? value : undefined
  return value === 'true' ? true : value === 'false' ? false : undefined
}

/** Whether the body came as JSON; else it is a form, where everything is text. */
export function isJson(req: Request): boolean {
  return Boolean(req.is('application/json'))
}

function digits(value: unknown): number | undefined {
  return typeof value === 'string' && /^(0|[1-9]\d{0,5})$/.test(value) ? Number(value) : undefined
}
