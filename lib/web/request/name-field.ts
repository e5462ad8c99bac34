import type { Request } from 'express'
import { readName } from '../../domain/authenticator-name.js'
import { fieldOf, hasFields } from './body.js'

/** The name in the body. Null: none was typed. Undefined: what was typed is none. */
export function nameIn(req: Request): string | null | undefined {
  const body: unknown = req.body
  const given: unknown = hasFields(body) && Object.hasOwn(body, 'name') ? body.name : null
  if (given === null || given === '') return null
  return typeof given === 'string' ? (readName(given) ?? undefined) : undefined
}

/** What was typed, to be corrected. */
export function typedName(req: Request): string {
  return (fieldOf(req, 'name') ?? '').slice(0, 200)
}
