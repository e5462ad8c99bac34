import type { Request } from 'express'
import expressSession, { type Session, type Store } from 'express-session'
import { guardStateOf, knownGuardStateOf } from './visitor.js'

type Done = (error?: unknown) => void
type Method = (this: Session, done?: Done) => Session
const NAMES = ['destroy', 'regenerate', 'reload'] as const
type Methods = Readonly<Record<(typeof NAMES)[number], Method>>

/** What the types do not say of the package. */
interface Classes {
  readonly Session: { readonly prototype: Pick<Session, 'regenerate'> }
  readonly Store: { readonly prototype: Pick<Store, 'regenerate'> }
}

/** A session, and the request that it is of. */
interface SessionOfRequest {
  readonly req: Request
  readonly session: Session
}

/** The methods as they were before, by the object that has the watched ones: a session or a prototype. */
const originals = new WeakMap<object, Methods>()
/** By the prototype that they inherit from. */
const watchedPrototypes = new WeakMap<object, object>()

/**
 * Many hosts log out by `req.session.destroy()` or `req.session.regenerate()`. From now on these
 * also end the login in the record, on every session that this request gets. They call back when
 * that is written.
 */
export function watchSessions(req: Request): void {
  const { session } = req
  if (!session || knownGuardStateOf(req) === undefined || originalsOf(session) !== undefined) return
  if (inheritsMethods(req, session)) Object.setPrototypeOf(session, watchedPrototypeOf(session))
  else putMethods(session, ownMethodsOf(session), () => ({ req, session }))
}

/** A regeneration by the package itself, in which the login goes on or has been ended already. */
export function regenerateOwn(req: Request, done: Done): void {
  const { session } = req
  const { regenerate } = originalsOf(session) ?? ownMethodsOf(session)
  regenerate.call(session, (error) => {
    watchSessions(req)
    done(error)
  })
}

/**
 * Whether a regeneration is express-session's own: the store destroys the old session and makes a new
 * one. A store or a host may have put something else in its place.
 */
export function hasOrdinaryRegenerate({ session, sessionStore }: Request): boolean {
  const { regenerate } = originalsOf(session) ?? ownMethodsOf(session)
  const { Session: Own, Store } = expressSession as unknown as Classes
  return (
    regenerate === Own.prototype.regenerate &&
    sessionStore.regenerate === Store.prototype.regenerate
  )
}

/** The second half of such a regeneration: puts an empty session with a new id on the request. */
export function generateOwn(req: Request): void {
  req.sessionStore.generate(req)
  watchSessions(req)
}

function originalsOf(session: Session): Methods | undefined {
  return originals.get(Object.getPrototypeOf(session)) ?? originals.get(session)
}

/** Sessions of express-session do, and know their request. Those of other middleware may not. */
function inheritsMethods(req: Request, session: Session): boolean {
  return requestOf(session) === req && !NAMES.some((name) => Object.hasOwn(session, name))
}

function requestOf(session: Session): Request {
  return Reflect.get(session, 'req') as Request
}

/** One for all sessions of a kind, because most requests end none: a session gets no methods of its own. */
function watchedPrototypeOf(session: Session): object {
  const prototype: object = Object.getPrototypeOf(session)
  const known = watchedPrototypes.get(prototype)
  if (known !== undefined) return known
  const watched: object = Object.create(prototype)
  watchedPrototypes.set(prototype, watched)
  putMethods(watched, prototype as Methods, (self) => ({ req: requestOf(self), session: self }))
  return watched
}

function ownMethodsOf({ destroy, regenerate, reload }: Session): Methods {
  return { destroy, regenerate, reload } as Methods
}

/** Puts the watched methods on a session, or on the prototype of many. */
function putMethods(
  on: object,
  methods: Methods,
  called: (self: Session) => SessionOfRequest,
): void {
  originals.set(on, methods)
  define(on, 'destroy', function (done) {
    return endBy(methods.destroy, called(this), done)
  })
  define(on, 'regenerate', function (done) {
    return endBy(methods.regenerate, called(this), done)
  })
  // It puts another object for the same session on the request.
  define(on, 'reload', function (done) {
    const { req, session } = called(this)
    return methods.reload.call(session, (error) => {
      watchSessions(req)
      done?.(error)
    })
  })
}

/** Not enumerable, as express-session's `save`: neither stored nor copied. */
function define(on: object, name: keyof Methods, value: Method): void {
  Object.defineProperty(on, name, { configurable: true, enumerable: false, writable: true, value })
}

/** The session itself ends at once, as the host expects, also where the record cannot be written. */
function endBy(
  method: Method,
  { req, session }: SessionOfRequest,
  done: Done | undefined,
): Session {
  const { site, next, onSessionEnd, endAtStore } = guardStateOf(req)
  let ended = session
  const written = onSessionEnd(req, session)
  const destroyed = endAtStore(
    req,
    () =>
      new Promise((resolve, reject) => {
        ended = method.call(session, (error) => {
          watchSessions(req)
          if (error) reject(error)
          else resolve()
        })
      }),
  )
  Promise.allSettled([destroyed, written])
    .then((both) => {
      const failed = both.find((one) => one.status === 'rejected')
      // Returned: a callback of the host's may be an async function that fails.
      if (done !== undefined) return done(failed?.reason)
      return failed === undefined ? undefined : site.failureReporter.report(failed.reason)
    })
    .catch(next)
  return ended
}
