import type { Request } from 'express'
import { isEnrolled } from '../domain/authenticators.js'
import { setupOf } from '../domain/setup.js'
import { pathOnOrigin } from './destination.js'
import { pagePath } from './page-path.js'
import type { Problem } from './problem.js'
import { hasCodesFor } from './shown-again.js'
import type { Site } from './site.js'
import type { PendingVisitor, SignedInVisitor, Visitor } from './visitor.js'

/** What a route asks of the visitor: the visitor where he has it, else the problem. */
export type Need<V extends Visitor> = (site: Site, req: Request, visitor: Visitor) => V | Problem

/** For routes that anybody may ask for. */
export const nothing: Need<Visitor> = (_site, _req, visitor) => visitor

/** A pending login with the code open. */
export const pendingCode: Need<PendingVisitor> = (site, req, visitor) => {
  if (visitor.kind === 'signed-in') return { code: 'already-signed-in', next: nextOf(site, req) }
  if (visitor.kind === 'pending' && visitor.standing === 'code-required') return visitor
  return missing(site, visitor)
}

/** A user who is signed in, both steps if he needs both. */
export const signedIn: Need<SignedInVisitor> = (site, _req, visitor) =>
  visitor.kind === 'signed-in' ? visitor : missing(site, visitor)

/** Somebody who is in, or has the code open: both know what waits for them. */
export const codeOrSignedIn: Need<PendingVisitor | SignedInVisitor> = (site, req, visitor) =>
  visitor.kind === 'signed-in' ? visitor : pendingCode(site, req, visitor)

/** A signed-in user who has an authenticator. */
export const enrolled: Need<SignedInVisitor> = (site, _req, visitor) => {
  if (visitor.kind !== 'signed-in') return missing(site, visitor)
  const settings = `${site.paths.secondStep}/`
  return !isEnrolled(visitor.record) ? { code: 'not-enrolled', link: settings } : visitor
}

/**
 * Somebody who may bind an authenticator: he has none and has passed what there is to pass, or this
 * session has begun a change of key by a code.
 */
export const setUp: Need<PendingVisitor | SignedInVisitor> = (site, _req, visitor) => {
  if (visitor.kind === 'pending' && visitor.standing === 'setup-required') return visitor
  if (visitor.kind !== 'signed-in') return missing(site, visitor)
  const { record, stamp } = visitor
  const changesKey = stamp !== null && setupOf(record, stamp.id, site.system.now()) !== null
  if (!isEnrolled(record) || changesKey) return visitor
  return { code: 'already-enrolled', link: `${site.paths.secondStep}/` }
}

/** The same, or somebody whose set-up is just done: a reload of the codes sends its form again. */
export const setUpOrCodesShown: typeof setUp = (site, req, visitor) =>
  visitor.kind === 'signed-in' && hasCodesFor(req, 'setup') ? visitor : setUp(site, req, visitor)

function missing(site: Site, visitor: Visitor): Problem {
  if (visitor.kind === 'over') return { code: 'sign-in-again' }
  if (visitor.kind !== 'pending') return { code: 'not-signed-in' }
  const next = pagePath(site.paths, visitor.standing)
  return visitor.standing === 'setup-required'
    ? { code: 'setup-required', next }
    : { code: 'code-required', link: next }
}

/** Where an action of the settings leads back to: what it was on the way to, else the settings. */
export function backOf(site: Site, req: Request): string {
  return knownNextOf(site, req) ?? `${site.paths.secondStep}/`
}

/** Where a signed-in visitor was going before the package asked for something. */
export function nextOf(site: Site, req: Request): string {
  return knownNextOf(site, req) ?? site.paths.signedIn
}

/** The same, or null where the visitor was going nowhere else. */
export function knownNextOf({ origin }: Pick<Site, 'origin'>, req: Request): string | null {
  return pathOnOrigin(req.session.secondStep?.next, origin)
}
