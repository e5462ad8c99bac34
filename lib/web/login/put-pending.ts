import type { Request } from 'express'
import type { PendingLogin } from '../../domain/pending-login.js'
import { keepsOfPending } from '../request/kept-keys.js'
import { replaceSession } from '../request/replaced-session.js'
import { keptKeys, keptOfBrowser, type SecondStepSession } from '../request/session.js'
import type { HostApp } from '../request/site.js'

/** Puts a pending login into a session with a new id, and keeps the allowed keys of the old one. */
export async function putPending(
  site: HostApp,
  req: Request,
  pending: PendingLogin,
): Promise<void> {
  const before = req.session.secondStep
  const kept = keptKeys(req, keepsOfPending(site, req, pending))
  await replaceSession(req, () => {
    for (const [key, value] of kept) Reflect.set(req.session, key, value)
    req.session.secondStep = partWithPending(before, pending)
  })
}

/**
 * Our part of a session with this pending login.
 *
 * @param before our part of the session so far. A login that goes on keeps all that it knew, and every
 *   other one only what belongs to the browser
 */
export function partWithPending(
  before: SecondStepSession | undefined,
  pending: PendingLogin,
): SecondStepSession {
  const { verified: _, ...known } = before ?? {}
  return { ...(known.pending?.id === pending.id ? known : keptOfBrowser(before)), pending }
}
