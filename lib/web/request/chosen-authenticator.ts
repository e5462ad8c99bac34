import type { Request } from 'express'
import type { Authenticator } from '../../factors/factors.js'
import { malformed, type Problem } from '../../text/problem.js'
import { fieldOf } from './body.js'

/** The authenticator that the field `id` names. It may be missing where there is only one to choose. */
export function chosenIn(
  req: Request,
  choices: readonly Authenticator[],
): { readonly id: string } | Problem {
  const id = fieldOf(req, 'id')
  const [only, ...others] = choices
  if (id === undefined && only !== undefined && others.length === 0) return { id: only.id }
  if (id === undefined) return { ...malformed('id'), text: { key: 'device.which' } }
  return choices.some((one) => one.id === id) ? { id } : { code: 'not-found' }
}
