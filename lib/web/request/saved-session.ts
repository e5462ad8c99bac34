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
function skipNext(session: Session, saved: Contents): void {
  const save: Save = (done) => {
    if (isSame(saved, contentsOf(session))) done?.()
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

/** JSON where it shows everything, else bytes. Null for what cannot be compared. */
type Contents = string | Buffer | null

/**
 * Everything that a store could keep. Not JSON alone, in which a map or a set always looks the same; JSON too,
 * because an object may tell its private state by `toJSON()`. The cookie
 * without its end, which the end of the response moves by milliseconds: whoever moves it by more changes
 * `originalMaxAge`, too.
 */
function contentsOf(session: Session): Contents {
  try {
    const contents = { ...session, cookie: { ...session.cookie, _expires: null } }
    const json = JSON.stringify(contents)
    // Most sessions came from JSON, and their bytes would take several times as long.
    return isPlain(contents) ? json : serialize([contents, json])
  } catch {
    return null
  }
}

/** Whether two values that differ have different JSON. */
function isPlain(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value !== 'object') return false
  // An array with holes, or with members beside its elements, does not have as many keys.
  if (Array.isArray(value) && Object.keys(value).length !== value.length) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== Array.prototype) return false
  const members = value as Readonly<Record<string, unknown>>
  for (const key in members) if (!isPlain(members[key])) return false
  return true
}

function isSame(one: Contents, other: Contents): boolean {
  if (one === null || other === null || typeof one === 'string')
    return one !== null && one === other
  return typeof other !== 'string' && one.equals(other)
}
