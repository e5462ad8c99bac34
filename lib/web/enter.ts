import type { Request } from 'express'
import type { Stamp } from '../domain/stamp.js'
import type { Footing } from '../domain/standing.js'
import type { KeptCodes } from '../service/shown-codes.js'
import type { Keeps } from './kept-keys.js'
import { type LogInOptions, removeUser } from './passport.js'
import { passportLogIn } from './passport-session.js'
import { removeLogin } from './session.js'
import type { Site } from './site.js'
import { guardedStateOf } from './visitor.js'

/** A user who may be in, and the stamp that says why. */
export interface Entry {
  readonly user: Express.User
  readonly userId: string
  readonly stamp: Stamp
  readonly footing: Footing
  readonly keeps: Keeps
  readonly options?: LogInOptions
  /** Where the page after this one leads. */
  readonly next?: string | undefined
  /** Codes that this page shows, for its reload. */
  readonly shown?: KeptCodes | null
}

/**
 * Signs the user in: strips the session in memory to what may live on, adds the stamp, and lets
 * Passport regenerate, merge and save it once. To regenerate first and let Passport do it again
 * would lose `returnTo` and the cookie's `maxAge`, and cost two more calls of the store.
 */
export async function enter(site: Site, req: Request, entry: Entry): Promise<void> {
  const { user, userId, stamp, footing, options } = entry
  const state = guardedStateOf(req)
  strip(req, entry.keeps)
  const { next, shown = null } = entry
  req.session.secondStep = {
    verified: stamp,
    ...(next === undefined ? {} : { next }),
    ...(shown === null ? {} : { shown: [shown] }),
  }
  try {
    await passportLogIn(req, state.logIn, user, { ...options, keepSessionInfo: true })
  } catch (error) {
    // What could not be saved must not be saved at the end of the response after all.
    removeUser(req)
    removeLogin(site, req)
    throw error
  }
  const { record, policy, subject } = footing
  state.visitor = { kind: 'signed-in', userId, user, stamp, record, policy, subject }
}

function strip(req: Request, keeps: Keeps): void {
  for (const key of Object.keys(req.session)) {
    if (keeps(key)) continue
    // Passport copies the enumerable keys; express-session still needs this one until then.
    if (key === 'cookie') Object.defineProperty(req.session, key, { enumerable: false })
    else Reflect.deleteProperty(req.session, key)
  }
}
