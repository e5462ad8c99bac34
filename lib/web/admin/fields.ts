import type { Request } from 'express'
import { readReason } from '../../domain/reason.js'
import { malformed, type Problem } from '../../text/problem.js'
import { hasFields } from '../request/body.js'
import type { Site } from '../request/site.js'

const DAYS_AT_MOST = 365

/** The body's members. Empty if there is no body, undefined if the body is not an object. */
export function membersOf(req: Request): Readonly<Record<string, unknown>> | undefined {
  const body: unknown = req.body ?? {}
  return hasFields(body) ? Object.fromEntries(Object.entries(body)) : undefined
}

/** The reason for the change: null if none is given, undefined if it is malformed. */
export function reasonOf(req: Request): string | null | undefined {
  const members = membersOf(req)
  if (members === undefined) return undefined
  const { reason = '' } = members
  return typeof reason === 'string' ? readReason(reason) : undefined
}

/** The problem of a reason that is malformed, or missing where `adminRouter({ demandReason })` demands one. Null: none. */
export function reasonProblem(
  { demandReason }: Pick<Site, 'demandReason'>,
  req: Request,
): Problem | null {
  const reason = reasonOf(req)
  const isWrong = reason === undefined || (reason === null && demandReason)
  return isWrong ? malformedField(req, 'reason') : null
}

/** The problem for a malformed field. A body without fields is malformed as a whole. */
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

/** A boolean member; in a form, the word `true` or `false`. */
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
