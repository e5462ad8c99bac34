import type { NextFunction, Request, Response } from 'express'
import {
  isManagerOf,
  type PassportInstance,
  passportOf,
  type SessionManager,
  unknownInstance,
} from './passport.js'
import { quickenProperties } from './quick-properties.js'
import { RequestNotes } from './request-notes.js'
import { noteBehind } from './wrapped-request.js'

/** The instance in charge of a request, as Passport notes it there. */
interface InCharge {
  /** The instances that may take charge; null: any, because no guard has seen the request yet. */
  passports: readonly PassportInstance[] | null
  manager: SessionManager | undefined
}

const inCharge = new RequestNotes<InCharge>()

/** One for all requests, which are many. */
const FOLLOWED: PropertyDescriptor & ThisType<Request> = {
  configurable: true,
  enumerable: true,
  get() {
    return inChargeOf(this).manager
  },
  set(manager: SessionManager) {
    const present = inChargeOf(this)
    const isKnown = (passport: PassportInstance) => isManagerOf(passport, manager)
    if (present.passports !== null && !present.passports.some(isKnown)) throw unknownInstance()
    present.manager = manager
  },
}

function inChargeOf(req: Request): InCharge {
  const present = noteBehind(inCharge, req)
  if (present === undefined) throw unknownInstance()
  return present
}

/**
 * From now on, no unknown instance may run on the request: its strategies would pass users to the
 * host's callbacks, and its `session()` would put them on the request, without a check.
 */
export function refuseUnknownInstances(req: Request, passports: readonly PassportInstance[]): void {
  const isFollowed =
    Object.getOwnPropertyDescriptor(req, '_sessionManager')?.set === FOLLOWED.set &&
    inCharge.has(req)
  if (!isFollowed) follow(req)
  inChargeOf(req).passports = passports
}

/**
 * Middleware that follows from the first request on who takes charge of it. Guard and Passport are
 * several times as fast on such a request: see `quickenProperties`.
 */
export function following(middleware: unknown): unknown {
  // Passport's middleware for another framework than Express has other parameters.
  if (typeof middleware !== 'function' || middleware.length !== 3) return middleware
  return (req: Request, res: Response, next: NextFunction): unknown => {
    if (req.res?.req === req && !inCharge.has(req)) follow(req)
    return middleware(req, res, next)
  }
}

function follow(req: Request): void {
  const request = passportOf(req)
  inCharge.set(req, { passports: null, manager: request._sessionManager })
  quickenProperties(req, 'res')
  if (req.res !== undefined) quickenProperties(req.res, 'req')
  Object.defineProperty(req, '_sessionManager', FOLLOWED)
}
