import type { Request } from 'express'
import type { PendingLogin } from '../../domain/pending-login.js'
import { keepsOfPending } from '../request/kept-keys.js'
import { replaceSession } from '../request/replaced-session.js'
import { keptKeys, keptOfBrowser } from '../request/session.js'
import type { HostApp } from '../request/site.js'

/** Puts a pending login into a session with a new id, and keeps the allowed keys of the old one. */
export async function putPending(
  site: HostApp,
  req: Request,
  pending: PendingLogin,
): Promise<void> {
  const ofBrowser = keptOfBrowser(req)
  const kept = keptKeys(req, keepsOfPending(site, req, pending))
  await replaceSession(req, () => {
    for (const [key, value] of kept) Reflect.set(req.session, key, value)
    req.session.secondStep = { ...ofBrowser, pending }
  })
}
