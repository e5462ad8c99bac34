import type { Request } from 'express'
import { noteLogin, noteReplaced } from './before-guard.js'
import { following } from './in-charge.js'
import {
  keyOfManager,
  type LogInOptions,
  type PassportInstance,
  type SessionManager,
  serialisedUnder,
} from './passport.js'
import { watchStrategies } from './watched-strategies.js'
import type { Watcher, Watching } from './watching.js'
import { warnWithoutGuard } from './without-guard.js'

const watched = new WeakMap<PassportInstance, Watching>()

/**
 * Watches an instance from the start, whenever its middleware was made. Wrapping `req.logIn` is not
 * enough: with a callback of the host, Passport passes it the user and never calls `req.logIn`;
 * `session()` does not call it either; and in front of the guard, `req.logIn` is still Passport's own.
 * Until there is a guard, the first login is warned of.
 */
export function watchPassport(passport: PassportInstance, watcher: Watcher): void {
  if (watched.has(passport)) return
  const key = () => keyOfManager(Object(Reflect.get(passport, '_sm')))
  const watching = { watcher, key, guarded: false, warned: false }
  watched.set(passport, watching)
  watchInitialize(passport)
  watchStrategies(passport, watching)
  watchLogIns(passport, watching)
}

/** There is a guard for this instance. The first one listens. */
export function watchForGuard(passport: PassportInstance, watcher: Watcher): void {
  watchPassport(passport, watcher)
  const watching = watched.get(passport)
  if (watching === undefined || watching.guarded) return
  watching.watcher = watcher
  watching.guarded = true
}

function watchInitialize(passport: PassportInstance): void {
  const initialize: unknown = Reflect.get(passport, 'initialize')
  if (typeof initialize !== 'function') return
  Reflect.set(passport, 'initialize', (...given: unknown[]) =>
    following(initialize.apply(passport, given)),
  )
}

type LogIn = (req: Request, user: Express.User, options: LogInOptions, done: Done) => void
type Done = (error?: unknown) => void

/**
 * Notes logins. A user who is already in the session and is logged in again, as by a header of
 * a single sign-on at every request, has not passed a first step.
 */
function watchLogIns(passport: PassportInstance, watching: Watching): void {
  const manager: SessionManager = Object(Reflect.get(passport, '_sm'))
  const logIn: unknown = Reflect.get(manager, 'logIn')
  if (typeof logIn !== 'function') return
  const watchedLogIn: LogIn = (req, user, options, done) => {
    warnWithoutGuard(watching, options)
    const refusal = watching.guarded ? watching.watcher.logIn(req) : null
    if (refusal !== null) return done(refusal)
    const isFirst = Boolean(req.session) && (serialisedUnder(req, watching.key()) ?? null) === null
    const secondStep = req.session?.secondStep
    logIn.call(manager, req, user, options, (error: unknown) => {
      noteReplaced(req, secondStep)
      if (!error && req.session) noteLogin(req, { user, manager, isFirst, secondStep })
      done(error)
    })
  }
  Reflect.set(manager, 'logIn', watchedLogIn)
}
