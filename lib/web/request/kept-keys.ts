import type { Request } from 'express'
import type { PendingLogin } from '../../domain/pending-login.js'
import { type LogInOptions, passportKeys } from './passport.js'
import type { HostApp } from './site.js'

/** Whether a session's key outlives a regeneration. */
export type Keeps = (key: string) => boolean

/** As in Passport: no key, or with `keepSessionInfo` every key of the host. */
export function keepsAsPassport(site: HostApp, req: Request, options: LogInOptions): Keeps {
  return options.keepSessionInfo === true ? keepsHostsKeys(site, req) : () => false
}

/** The host's keys: all but Passport's and ours, which belong to one login. */
export function keepsHostsKeys(site: HostApp, req: Request): Keeps {
  const left = new Set(['secondStep', ...passportKeys(req, site.passports)])
  return (key) => !left.has(key)
}

/**
 * For both regenerations of a login in two steps: the destination, the cookie's lifetime, and the
 * keys that the host named.
 */
export function keepsOfPending(site: HostApp, req: Request, pending: PendingLogin): Keeps {
  if (pending.keepSessionInfo) return keepsHostsKeys(site, req)
  const listed = new Set(['cookie', 'returnTo', ...site.keepInSession])
  return (key) => listed.has(key)
}
