import type { Request } from 'express'

const LONGEST_TEXT = 254
const LONGEST_CURSOR = 4096
const DEFAULT_LIMIT = 50
const LIMIT_AT_MOST = 100

/** A text of the query: empty if absent, undefined if malformed. */
export function textOf(req: Request, name: string): string | undefined {
  const value: unknown = Reflect.get(req.query, name)
  if (value === undefined) return ''
  if (typeof value !== 'string' || value.length > LONGEST_TEXT) return undefined
  return /[\p{Cc}\p{Cs}]/u.test(value) ? undefined : value
}

/** The cursor of the query: null if absent, undefined if malformed. */
export function cursorOf(req: Request): string | null | undefined {
  const value: unknown = Reflect.get(req.query, 'cursor')
  if (value === undefined) return null
  const right = typeof value === 'string' && value !== '' && value.length <= LONGEST_CURSOR
  return right ? value : undefined
}

/** The page size, 1 to 100. Undefined if malformed. */
export function limitOf(req: Request): number | undefined {
  const value: unknown = Reflect.get(req.query, 'limit')
  if (value === undefined) return DEFAULT_LIMIT
  if (typeof value !== 'string' || !/^[1-9]\d{0,2}$/.test(value)) return undefined
  return Number(value) <= LIMIT_AT_MOST ? Number(value) : undefined
}
