import type { Request } from 'express'
import type { LogInOptions } from '../request/passport.js'
import { requestInfoOf } from '../request/request-info.js'
import type { Services } from '../request/site.js'
import { guardedStateOf, type Visitor } from '../request/visitor.js'
import { passportLogOut } from './passport-session.js'

type Done = (error?: unknown) => void
type LogOut = (options: LogInOptions, done: Done) => void

/**
 * The `req.logOut` of a guarded request. Removes our keys, also under `keepSessionInfo`, and ends
 * the stamp or the pending login in the record, because a slow request can write a destroyed
 * session back.
 */
export function gatedLogOut(site: Services, req: Request): Request['logOut'] {
  const logOut = req.logOut.bind(req) as LogOut
  return (options: object | Done, callback?: Done): void => {
    const [given, done] =
      typeof options === 'function' ? [{}, options as Done] : [options, callback]
    const state = guardedStateOf(req)
    const { visitor } = state
    state.visitor = { kind: 'anonymous' }
    if (req.session) Reflect.deleteProperty(req.session, 'secondStep')
    const ended = end(site, req, visitor)
    passportLogOut(req, logOut, given ?? {})
      .then(
        () => ended,
        (error: unknown) => error,
      )
      .then((failure) => done?.(failure))
      .catch(state.next)
  }
}

/** @returns the failure, if any: the session is logged out all the same */
async function end(site: Services, req: Request, visitor: Visitor): Promise<unknown> {
  const ending = endingOf(site, req, visitor)
  return ending?.then(
    () => undefined,
    (error: unknown) => error,
  )
}

function endingOf(
  { sessions }: Services,
  req: Request,
  visitor: Visitor,
): Promise<void> | undefined {
  if (visitor.kind === 'pending') return sessions.endLogin(visitor.pending, requestInfoOf(req))
  if (visitor.kind !== 'signed-in' || visitor.stamp === null) return undefined
  // Also without a passed second step: somebody with a session that is written back could set one
  // up.
  return sessions.end(visitor.stamp, requestInfoOf(req))
}
