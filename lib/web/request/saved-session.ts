import { serialize } from 'node:v8'
import type { Session } from 'express-session'

type Done = (error?: unknown) => void
type Save = (done?: Done) => Session

/**
 * Saves a session. express-session saves one with a new id again at the end of the response, because it
 * has not seen that it was saved. If nothing has changed by then, that save calls back without the store.
 */
export function saveOnce(session: Session, done: Done): void {
  // A session that express-session has loaded notes by itself that it was saved.
  if (Object.hasOwn(session, 'save')) {
    session.save(done)
    return
  }
  const before = contentsOf(session)
  session.save((error?: unknown) => {
    if (!error && before !== null && !Object.hasOwn(session, 'save')) skipNext(session, before)
    done(error)
  })
}

/** An own property that is not enumerable, as express-session's: neither stored nor copied. */
function skipNext(session: Session, saved: Buffer): void {
  const save: Save = (done) => {
    if (contentsOf(session)?.equals(saved) === true) done?.()
    else {
      Reflect.deleteProperty(session, 'save')
      session.save(done)
    }
    return session
  }
  Object.defineProperty(session, 'save', {
    configurable: true,
    enumerable: false,
    writable: true,
    value: save,
  })
}

/**
 * Everything that a store could keep. Not JSON alone, in which a map or a set always looks the same; JSON too,
 * because an object may tell its private state by `toJSON()`. The cookie
 * without its end, which the end of the response moves by milliseconds: whoever moves it by more changes
 * `originalMaxAge`, too. Null for what cannot be compared.
 */
function contentsOf(session: Session): Buffer | null {
  try {
    const contents = { ...session, cookie: { ...session.cookie, _expires: null } }
    return serialize([contents, JSON.stringify(contents)])
  } catch {
    return null
  }
}
