import type { Request } from 'express'
import type { LogInOptions } from '../request/passport.js'
import type { Services } from '../request/site.js'
import { guardStateOf } from '../request/visitor.js'
import { endLoginOf } from './end-login.js'
import { passportLogOut } from './passport-session.js'

type Done = (error?: unknown) => void
type LogOut = (this: Request, options: LogInOptions, done: Done) => void

/**
 * The `req.logOut` of a guarded request. Removes our keys, also under `keepSessionInfo`, and ends
 * the login in the record, also without a passed second step: somebody with a session that is
 * written back could set one up.
 */
export function gatedLogOut(site: Services, req: Request): Request['logOut'] {
  const logOut = req.logOut as LogOut
  return (options: object | Done, callback?: Done): void => {
    const [given, done] =
      typeof options === 'function' ? [{}, options as Done] : [options, callback]
    const state = guardStateOf(req)
    const failure = endLoginOf(req).then(
      () => undefined,
      (error: unknown) => error,
    )
    state.visitor = { kind: 'anonymous' }
    if (req.session) Reflect.deleteProperty(req.session, 'secondStep')
    passportLogOut(req, logOut, given ?? {})
      .then(
        () => failure,
        (error: unknown) => error,
      )
      .then((error) => {
        if (done !== undefined) return done(error)
        return error ? site.failureReporter.report(error) : undefined
      })
      .catch(state.next)
  }
}
