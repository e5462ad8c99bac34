import type { Request } from 'express'
import expressSession, { type Session, type Store } from 'express-session'
import { guardStateOf } from './visitor.js'

type Done = (error?: unknown) => void
type Method = (done?: Done) => Session
type Methods = Readonly<Record<'destroy' | 'regenerate' | 'reload', Method>>

/** What the types do not say of the package. */
interface Classes {
  readonly Session: { readonly prototype: Pick<Session, 'regenerate'> }
  readonly Store: { readonly prototype: Pick<Store, 'regenerate'> }
}

/** Ends in the record what the session holds of a login. */
export type EndOfSession = (session: Session) => Promise<void>

const listeners = new WeakMap<Request, EndOfSession>()
const originals = new WeakMap<Session, Methods>()

/**
 * Many hosts log out by `req.session.destroy()` or `req.session.regenerate()`. From now on these
 * also end the login in the record, on every session that this request gets. They call back when
 * that is written.
 */
export function watchSessions(req: Request, listener: EndOfSession): void {
  listeners.set(req, listener)
  watch(req)
}

/** A regeneration by the package itself, in which the login goes on or has been ended already. */
export function regenerateOwn(req: Request, done: Done): void {
  const { session } = req
  const { regenerate } = originals.get(session) ?? methodsOf(session)
  regenerate.call(session, (error) => {
    watch(req)
    done(error)
  })
}

/**
 * Whether a regeneration is express-session's own: the store destroys the old session and makes a new
 * one. A store or a host may have put something else in its place.
 */
export function hasOrdinaryRegenerate({ session, sessionStore }: Request): boolean {
  const { regenerate } = originals.get(session) ?? methodsOf(session)
  const { Session: Own, Store } = expressSession as unknown as Classes
  return (
    regenerate === Own.prototype.regenerate &&
    sessionStore.regenerate === Store.prototype.regenerate
  )
}

/** The second half of such a regeneration: puts an empty session with a new id on the request. */
export function generateOwn(req: Request): void {
  req.sessionStore.generate(req)
  watch(req)
}

/** Own properties that are not enumerable, as express-session's `save`: neither stored nor copied. */
function watch(req: Request): void {
  const { session } = req
  const listener = listeners.get(req)
  if (listener === undefined || !session || originals.has(session)) return
  const methods = methodsOf(session)
  originals.set(session, methods)
  define(session, 'destroy', (done) => endBy(methods.destroy, { req, session, listener, done }))
  define(session, 'regenerate', (done) => {
    return endBy(methods.regenerate, { req, session, listener, done })
  })
  // It puts another object for the same session on the request.
  define(session, 'reload', (done) =>
    methods.reload.call(session, (error) => {
      watch(req)
      done?.(error)
    }),
  )
}

function methodsOf({ destroy, regenerate, reload }: Session): Methods {
  return { destroy, regenerate, reload } as Methods
}

function define(session: Session, name: keyof Methods, value: Method): void {
  Object.defineProperty(session, name, {
    configurable: true,
    enumerable: false,
    writable: true,
    value,
  })
}

/** The session itself ends at once, as the host expects, also where the record cannot be written. */
function endBy(
  method: Method,
  {
    req,
    session,
    listener,
    done,
  }: { req: Request; session: Session; listener: EndOfSession; done: Done | undefined },
): Session {
  const { site, next } = guardStateOf(req)
  const failure = listener(session).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (done === undefined)
    failure.then((error) => error && site.failureReporter.report(error)).catch(next)
  return method.call(session, (error) => {
    watch(req)
    failure.then((failed) => done?.(error ?? failed)).catch(next)
  })
}
