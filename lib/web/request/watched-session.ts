import type { Request } from 'express'
import expressSession, { type Session, type Store } from 'express-session'
import { guardStateOf, knownGuardStateOf } from './visitor.js'

type Done = (error?: unknown) => void
type Method = (this: Session, done?: Done) => Session
type Name = 'destroy' | 'regenerate' | 'reload'
type Methods = Readonly<Record<Name, unknown>>

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

const { Session: Own, Store: OwnStore } = expressSession as unknown as Classes
const ORDINARY = { session: Own.prototype.regenerate, store: OwnStore.prototype.regenerate }

/** The methods as they were before, by the watched ones. */
const originals = new WeakMap<Method, Method>()
/** Requests whose session the package itself is regenerating. */
const regenerating = new WeakSet<Request>()

/**
 * Many hosts log out by `req.session.destroy()` or `req.session.regenerate()`. From now on these
 * also end the login in the record, on every session that this request gets. They call back when
 * that is written.
 */
export function watchSessions(req: Request): void {
  const { session } = req
  if (!session || knownGuardStateOf(req) === undefined || isWatched(req, session)) return
  // One for all sessions of a kind, because most requests end none: a session gets no methods of its own.
  if (inheritsMethods(req, session)) putMethods(Object.getPrototypeOf(session), guarded)
  else putMethods(session, () => ({ req, session }))
}

/** A regeneration by the package itself, in which the login goes on or has been ended already. */
export function regenerateOwn(req: Request, done: Done): void {
  regenerating.add(req)
  req.session.regenerate((error) => {
    regenerating.delete(req)
    watchSessions(req)
    done(error)
  })
}

/**
 * Whether a regeneration is express-session's own: the store destroys the old session and makes a new
 * one. A store or a host may have put something else in its place.
 */
export function hasOrdinaryRegenerate({ session, sessionStore }: Request): boolean {
  return (
    originalOf(session.regenerate as Method) === ORDINARY.session &&
    sessionStore.regenerate === ORDINARY.store
  )
}

/**
 * Whether express-session has made the session for this request, which came without a cookie: nobody else can have
 * its id, and nothing is stored under it that could be destroyed. Each session that it makes or loads for a request, and
 * no other, has a `reload` of its own. It loads by a cookie alone, which older versions of it find where
 * a cookie parser has put it. A host may have put another session in its place, or another id.
 */
export function isOnlyHere(req: Request): boolean {
  const { session, sessionID, headers } = req
  if (headers.cookie !== undefined || session.id !== sessionID) return false
  if (!Object.hasOwn(session, 'reload') || Object.hasOwn(session, 'regenerate')) return false
  return isEmpty(req.cookies) && isEmpty(req.signedCookies)
}

function isEmpty(cookies: unknown): boolean {
  return Object.keys(Object(cookies)).length === 0
}

/** The second half of such a regeneration: puts an empty session with a new id on the request. */
export function generateOwn(req: Request): void {
  req.sessionStore.generate(req)
  watchSessions(req)
}

function originalOf(method: Method): Method {
  return originals.get(method) ?? method
}

function isWatched(req: Request, session: Session): boolean {
  const { destroy, regenerate } = session as Methods as Readonly<Record<Name, Method>>
  const areKnown = originals.has(destroy) && originals.has(regenerate)
  return areKnown && (Object.hasOwn(session, 'regenerate') || requestOf(session) === req)
}

/**
 * Sessions of express-session do, and know their request. Those of other middleware may not. A `reload` that
 * express-session puts on each of its own leads to the inherited one.
 */
function inheritsMethods(req: Request, session: Session): boolean {
  const hasOwn = Object.hasOwn(session, 'destroy') || Object.hasOwn(session, 'regenerate')
  return requestOf(session) === req && !hasOwn
}

function requestOf(session: Session): Request | undefined {
  return Reflect.get(session, 'req') as Request | undefined
}

/** Null for a session whose request has met no guard. */
function guarded(session: Session): SessionOfRequest | null {
  const req = requestOf(session)
  return req === undefined || knownGuardStateOf(req) === undefined ? null : { req, session }
}

/** Puts the watched methods on a session, or on the prototype of many. */
function putMethods(on: Methods, called: (self: Session) => SessionOfRequest | null): void {
  define(on, 'destroy', (destroy) => {
    return function (this: Session, done) {
      const known = called(this)
      return known === null ? destroy.call(this, done) : endBy(destroy, known, done)
    }
  })
  define(on, 'regenerate', (regenerate) => {
    return function (this: Session, done) {
      const known = called(this)
      const isOwn = known === null || regenerating.has(known.req)
      return isOwn ? regenerate.call(this, done) : endBy(regenerate, known, done)
    }
  })
  // It puts another object for the same session on the request.
  define(on, 'reload', (reload) => {
    return function (this: Session, done) {
      const known = called(this)
      if (known === null) return reload.call(this, done)
      return reload.call(this, (error) => {
        watchSessions(known.req)
        done?.(error)
      })
    }
  })
}

/** Not enumerable, as express-session's: neither stored nor copied. */
function define(on: Methods, name: Name, watched: (original: Method) => Method): void {
  const original = originalOf(on[name] as Method)
  const value = watched(original)
  originals.set(value, original)
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
