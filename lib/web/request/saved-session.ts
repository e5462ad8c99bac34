import { serialize } from 'node:v8'
import type { Session } from 'express-session'
import { isAsCopied, type Members, membersOf } from './plain-copy.js'

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
  const saved = contentsOf(session)
  session.save((error?: unknown) => {
    if (!error && saved !== null && !Object.hasOwn(session, 'save')) skipNext(session, saved)
    done(error)
  })
}

/** An own property that is not enumerable, as express-session's: neither stored nor copied. */
function skipNext(session: Session, saved: Contents): void {
  const save: Save = (done) => {
    if (isAsSaved(session, saved)) done?.()
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

/** Everything that a store could keep: a copy where all of it is plain, else bytes. */
type Contents = PlainContents | Buffer

interface PlainContents {
  readonly members: Members
  readonly cookie: Members
}

/**
 * The cookie is looked at without its end, which the end of the response moves by milliseconds: whoever moves it by
 * more changes `originalMaxAge`, too.
 */
const END = '_expires'

/** Null for what cannot be compared. */
function contentsOf(session: Session): Contents | null {
  try {
    // Most sessions came from JSON, and their bytes would take several times as long.
    const members = membersOf(session, 'cookie')
    const cookie = members === null ? null : membersOf(session.cookie, END)
    return members === null || cookie === null ? bytesOf(session) : { members, cookie }
  } catch {
    return null
  }
}

function isAsSaved(session: Session, saved: Contents): boolean {
  try {
    if (Buffer.isBuffer(saved)) return saved.equals(bytesOf(session))
    const { members, cookie } = saved
    return isAsCopied(session, members, 'cookie') && isAsCopied(session.cookie, cookie, END)
  } catch {
    return false
  }
}

/** JSON too, because an object may tell its private state by `toJSON()`. */
function bytesOf(session: Session): Buffer {
  const contents = { ...session, cookie: { ...session.cookie, [END]: null } }
  return serialize([contents, JSON.stringify(contents)])
}
