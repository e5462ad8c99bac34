import type { Request } from 'express'
import { AUTHENTICATOR_TYPES, type Authenticator } from '../../factors/factors.js'
import { fieldOf, hasFields } from './body.js'

/** The type of authenticator in the body. Null: the usual one. Undefined: there is no such type. */
export function typeIn(req: Request): Authenticator['type'] | null | undefined {
  const given = hasFields(req.body) && Object.hasOwn(req.body, 'type')
  const type = fieldOf(req, 'type')
  return given ? AUTHENTICATOR_TYPES.find((one) => one === type) : null
}
