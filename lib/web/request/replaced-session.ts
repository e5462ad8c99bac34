import type { Request } from 'express'
import type { Stamp } from '../../domain/stamp.js'
import { answeredSince } from './answered.js'
import {
  detachable,
  hideSession,
  inTime,
  keptKeys,
  regeneratedNow,
  type SecondStepSession,
  savedNow,
  settled,
} from './session.js'
import { generateOwn, hasOrdinaryRegenerate, isOnlyHere } from './watched-session.js'
import { writeStamp } from './written-stamp.js'

/**
 * Puts a session with a new id in place of the present one, which is destroyed, and saves it.
 *
 * @param fill puts the contents into the new session
 */
export function replaceSession(req: Request, fill: () => void): Promise<void> {
  return inTime(req, () => replacedNow(req, fill))
}

/**
 * The same without a limit in time, for what has a limit of its own. If the host answers meanwhile, by its own
 * time-out for example, the session that the request has then is stored nowhere.
 */
export async function replacedNow(req: Request, fill: () => void): Promise<void> {
  const isAnswered = req.res === undefined ? () => false : answeredSince(req.res)
  if (hasOrdinaryRegenerate(req)) {
    // As a regeneration of express-session and a save, but the store gets both calls at once: they are about
    // two sessions.
    const { sessionStore, sessionID } = req
    const destroyed = isOnlyHere(req)
      ? Promise.resolve()
      : settled(req, (done) => sessionStore.destroy(sessionID, done))
    generateOwn(req)
    return savedUnseen(req, fill, { destroyed, isAnswered })
  }
  await regeneratedNow(req)
  if (!isAnswered()) await savedUnseen(req, fill, { destroyed: Promise.resolve(), isAnswered })
}

/**
 * Gives the session a new id and this stamp, and keeps the rest. The old id, if somebody has
 * learned it, is worthless.
 *
 * @param part our part of the session. Default: as it is
 */
export function renewSession(
  req: Request,
  stamp: Stamp,
  part: SecondStepSession = req.session.secondStep ?? {},
): Promise<void> {
  const kept = keptKeys(req, () => true)
  return replaceSession(req, () => {
    for (const [key, value] of kept) Reflect.set(req.session, key, value)
    req.session.secondStep = { ...part, verified: writeStamp(stamp) }
  })
}

/**
 * Fills a new session and saves it. The response sees it only then. An answer of the host's would send its id, and
 * save it once more, later than it can be taken back. Where a call of the store fails, or the host has answered,
 * the new session is taken back, so that nobody is signed in by it.
 */
async function savedUnseen(
  req: Request,
  fill: () => void,
  { destroyed, isAnswered }: { destroyed: Promise<void>; isAnswered: () => boolean },
): Promise<void> {
  const { sessionStore, sessionID: newId } = req
  fill()
  const show = hideSession(req)
  const saved = savedNow(req)
  const takeBack = () => {
    const destroy = () => sessionStore.destroy(newId, () => undefined)
    // Also where the save has failed: a client that gives up may have written all the same. A store that throws
    // here must not end the process: the login is refused already.
    saved.then(destroy, destroy).catch(() => undefined)
  }
  await detachable(req, Promise.all([destroyed, saved]), takeBack)
  if (isAnswered()) takeBack()
  else show()
}
