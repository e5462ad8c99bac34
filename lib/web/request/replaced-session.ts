import type { Request } from 'express'
import type { Stamp } from '../../domain/stamp.js'
import { answeredSince } from './answered.js'
import { detachable, inTime, keptKeys, regeneratedNow, savedNow, settled } from './session.js'
import { generateOwn, hasOrdinaryRegenerate } from './watched-session.js'

/**
 * Puts a session with a new id in place of the present one, which is destroyed, and saves it.
 *
 * @param fill puts the contents into the new session
 */
export function replaceSession(req: Request, fill: () => void): Promise<void> {
  return inTime(req, () => replacedNow(req, fill))
}

/** The same without a limit in time, for what has a limit of its own. */
export async function replacedNow(req: Request, fill: () => void): Promise<void> {
  if (hasOrdinaryRegenerate(req)) return replacedAtOnce(req, fill)
  await regeneratedNow(req)
  fill()
  await savedNow(req)
}

/**
 * Gives the session a new id and this stamp, and keeps the rest. The old id, if somebody has
 * learned it, is worthless.
 */
export function renewSession(req: Request, stamp: Stamp): Promise<void> {
  const kept = keptKeys(req, () => true)
  const { shown } = req.session.secondStep ?? {}
  return replaceSession(req, () => {
    for (const [key, value] of kept) Reflect.set(req.session, key, value)
    req.session.secondStep = shown === undefined ? { verified: stamp } : { verified: stamp, shown }
  })
}

/**
 * As a regeneration of express-session and a save, but the store gets both calls at once: they are about
 * two sessions. Where one of them fails, the new session is taken back, so that nobody is signed in by it.
 */
async function replacedAtOnce(req: Request, fill: () => void): Promise<void> {
  const { sessionStore, sessionID } = req
  const isAnswered = req.res === undefined ? () => false : answeredSince(req.res)
  const destroyed = settled(req, (done) => sessionStore.destroy(sessionID, done))
  generateOwn(req)
  fill()
  const { sessionID: newId } = req
  const saved = savedNow(req)
  const takeBack = () => {
    // A store that throws here must not end the process: the login is refused already.
    saved.then(() => sessionStore.destroy(newId, () => undefined)).catch(() => undefined)
  }
  await detachable(req, Promise.all([destroyed, saved]), takeBack)
  // By the host, with its own time-out for example: nobody is to be signed in after that.
  if (isAnswered()) takeBack()
}
