import type { Request } from 'express'
import { isEnrolled } from '../../domain/authenticators.js'
import { pauseOf } from '../../domain/pause.js'
import { setupOf } from '../../domain/setup.js'
import { freshUntil } from '../../domain/stamp.js'
import type { Problem } from '../../text/problem.js'
import { pathOnOrigin } from '../request/destination.js'
import { pagePath } from '../request/page-path.js'
import { isInSession } from '../request/session-login.js'
import { hasCodesFor } from '../request/shown-again.js'
import type { Places, Site } from '../request/site.js'
import type { PendingVisitor, SignedInVisitor, Visitor } from '../request/visitor.js'

/**
 * Checks that a visitor may use a route. Returns the visitor, narrowed, or the problem to answer
 * with.
 */
export type Requirement<V extends Visitor> = (
  site: Site,
  req: Request,
  visitor: Visitor,
) => V | Problem

/** For routes that are open to everybody. */
export const nothing: Requirement<Visitor> = (_site, _req, visitor) => visitor

/** A pending login that waits for the code. */
export const pendingCode: Requirement<PendingVisitor> = (site, req, visitor) => {
  if (isInSession(site, req, visitor)) return { code: 'already-signed-in', next: nextOf(site, req) }
  if (visitor.kind === 'pending' && visitor.standing === 'code-required') return visitor
  return missing(site, visitor)
}

/**
 * A pending login that waits for the code, or a session of somebody who has not been asked for one: a trusted browser
 * or a provider stood for it, and would at the next login.
 */
export const pendingCodeOrUnasked: Requirement<PendingVisitor | SignedInVisitor> = (
  site,
  req,
  visitor,
) => (isUnasked(site, req, visitor) ? visitor : pendingCode(site, req, visitor))

/** Whether something else stood for the code of somebody who has an authenticator. */
export function isUnasked(site: Site, req: Request, visitor: Visitor): visitor is SignedInVisitor {
  if (!isInSession(site, req, visitor) || !isEnrolled(visitor.record)) return false
  return ['trusted-browser', 'upstream'].includes(visitor.stamp?.method ?? 'none')
}

/**
 * A user who is signed in, with both steps if they need both, and by the session: what these routes do would turn
 * a credential for one request into a session with a second step.
 */
export const signedIn: Requirement<SignedInVisitor> = (site, req, visitor) =>
  isInSession(site, req, visitor) ? visitor : missing(site, visitor)

/** A visitor who is signed in, or whose pending login waits for the code. */
export const codeOrSignedIn: Requirement<PendingVisitor | SignedInVisitor> = (
  site,
  req,
  visitor,
) => (isInSession(site, req, visitor) ? visitor : pendingCode(site, req, visitor))

/** A signed-in user who has an authenticator. */
export const enrolled: Requirement<SignedInVisitor> = (site, req, visitor) => {
  const met = signedIn(site, req, visitor)
  if ('code' in met || isEnrolled(met.record)) return met
  return { code: 'not-enrolled', link: `${site.paths.secondStep}/` }
}

/**
 * A visitor who may bind an authenticator: they have none and have passed every step they can, or
 * this session has begun a change of key with a code.
 */
export const setUp: Requirement<PendingVisitor | SignedInVisitor> = (site, req, visitor) => {
  if (visitor.kind === 'pending' && visitor.standing === 'setup-required') return visitor
  const met = signedIn(site, req, visitor)
  if ('code' in met) return met
  const { record, stamp } = met
  const changesKey = stamp !== null && setupOf(record, stamp.id, site.system.now()) !== null
  if (!isEnrolled(record) || changesKey) return met
  return { code: 'already-enrolled', link: `${site.paths.secondStep}/` }
}

/**
 * The same, or a visitor whose set-up is just done: a reload of the page with the codes sends its
 * form again.
 */
export const setUpOrCodesShown: typeof setUp = (site, req, visitor) =>
  isInSession(site, req, visitor) && hasCodesFor(req, 'setup') ? visitor : setUp(site, req, visitor)

/**
 * The requirement of every admin route besides the host's own check: an admin who has a second
 * step, is not paused, and has given a code in this session. So no admin can require of others what
 * they have not done themselves (n8n, Capgo CVE-2026-56212).
 */
export const admin: Requirement<SignedInVisitor> = (site, req, visitor) => {
  const met = signedIn(site, req, visitor)
  if ('code' in met) return met
  const { secondStep } = site.paths
  if (!isEnrolled(met.record)) {
    return { code: 'setup-required', next: `${secondStep}/setup` }
  }
  if (pauseOf(met, site.system.now()) !== null) return { code: 'forbidden' }
  if (met.stamp === null || freshUntil(met.stamp) === null) return freshCodeRequired(site)
  return met
}

/** A problem that a code solves. The page for the code redirects back. */
export function freshCodeRequired({ paths }: Places): Problem {
  return { code: 'fresh-code-required', next: `${paths.secondStep}/fresh` }
}

/** The problem of a visitor who is not signed in by the session. */
export function missing(site: Places, visitor: Visitor): Problem {
  if (visitor.kind === 'over') return { code: 'sign-in-again' }
  if (visitor.kind !== 'pending') return { code: 'not-signed-in' }
  const next = pagePath(site.paths, visitor.standing)
  return visitor.standing === 'setup-required'
    ? { code: 'setup-required', next }
    : { code: 'code-required', link: next }
}

/** The page to which an action of the settings redirects: the destination, or else the settings. */
export function backOf(site: Places, req: Request): string {
  return knownNextOf(site, req) ?? `${site.paths.secondStep}/`
}

/** The page that a signed-in visitor wanted before the package asked for something. */
export function nextOf(site: Places, req: Request): string {
  return knownNextOf(site, req) ?? site.paths.signedIn
}

/** The same, or null if the visitor wanted no other page. */
export function knownNextOf({ origin }: Pick<Site, 'origin'>, req: Request): string | null {
  return pathOnOrigin(req.session.secondStep?.next, origin)
}
