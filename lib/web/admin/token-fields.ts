import type { Request } from 'express'
import {
  type HardwareToken,
  readHardwareToken,
  TOKEN_FIELDS,
  type TokenFault,
  type TokenField,
} from '../../factors/hardware-token.js'
import { malformed, type Problem } from '../../text/problem.js'
import { isJson, malformedField, membersOf } from './fields.js'

const NUMBERS: readonly TokenField[] = ['digits', 'period', 'counter']

/** The hardware token in the body, or the problem with a field of it. It never holds what was typed. */
export function tokenIn(req: Request): HardwareToken | Problem {
  const members = membersOf(req)
  if (members === undefined) return malformedField(req, null)
  const given: Partial<Record<TokenField, string>> = {}
  for (const field of TOKEN_FIELDS) {
    const text = textOf(members[field], isJson(req) && NUMBERS.includes(field))
    if (text === null) return faultProblem({ field, why: 'malformed' })
    if (text !== undefined) given[field] = text
  }
  const token = readHardwareToken(given)
  return 'why' in token ? faultProblem(token) : token
}

const FAULTS = {
  serial: 'admin.token.bad-serial',
  type: 'admin.token.bad-type',
  secret: 'admin.token.bad-seed',
  algorithm: 'admin.token.bad-algorithm',
  digits: 'admin.token.bad-digits',
  period: 'admin.token.bad-period',
  counter: 'admin.token.bad-counter',
} as const satisfies Record<TokenField, string>

const LENGTHS = {
  'too-short': 'admin.token.short-seed',
  'too-long': 'admin.token.long-seed',
} as const

/** Says what the field takes, and nothing of what was typed. */
function faultProblem({ field, why }: TokenFault): Problem {
  const isLength = field === 'secret' && (why === 'too-short' || why === 'too-long')
  const key = isLength ? LENGTHS[why] : FAULTS[field]
  return { ...malformed(field), text: { key } }
}

/**
 * A field as text. Undefined: it was not given; null: it is of another type.
 *
 * @param number it is a number in JSON
 */
function textOf(value: unknown, number: boolean): string | undefined | null {
  if (value === undefined || value === null) return undefined
  if (number) return typeof value === 'number' && Number.isSafeInteger(value) ? `${value}` : null
  return typeof value === 'string' ? value : null
}
