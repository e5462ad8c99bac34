import type { Request } from 'express'
import type { Store } from 'express-session'
import { ConfigurationError } from '../../errors/configuration-error.js'
import { UnavailableError } from '../../errors/unavailable-error.js'
import { requireOneInstance } from '../request/before-guard.js'
import { warnOfForgotten } from '../request/forgotten-instance.js'
import { requireKnownInstance, serialisedUser, userOf } from '../request/passport.js'
import { pendingOf } from '../request/session.js'
import { followSessionStore, isSessionStoreDisconnected } from '../request/session-store-state.js'
import type { Site } from '../request/site.js'
import { checkSessionStore } from './check-session-store.js'

/** The session store of the last request, which is checked already. */
export interface SeenStore {
  store: Store | undefined
}

/**
 * Mistakes in mounting fail loudly, at the first request that shows them.
 *
 * @throws ConfigurationError; UnavailableError without a session that the store could give
 */
export function checkMounting(site: Site, req: Request, seen: SeenStore): void {
  checkSession(site, req)
  if (seen.store === undefined || seen.store !== req.sessionStore) {
    checkSessionStore(req.sessionStore)
    followSessionStore(site, req.sessionStore)
    seen.store = req.sessionStore
  }
  const unseen = userOf(req) === undefined && pendingOf(site, req) === null
  if (
    typeof req.isAuthenticated !== 'function' ||
    (unseen && (serialisedUser(req) ?? null) !== null)
  ) {
    throw new ConfigurationError('mount guard() after passport.session()')
  }
  requireKnownInstance(req, site.passports)
  requireOneInstance(req)
  warnOfForgotten(site, req)
}

function checkSession(site: Site, req: Request): void {
  if (req.session === undefined || req.session === null) {
    // express-session sets the store before it reads from it; without one it was never mounted, or the
    // store is disconnected.
    if (req.sessionStore !== undefined || isSessionStoreDisconnected(site)) {
      throw new UnavailableError('the session store')
    }
    throw new ConfigurationError('mount express-session before guard()')
  }
  if (typeof req.session.regenerate !== 'function') {
    throw new ConfigurationError('guard() needs express-session: this session cannot regenerate()')
  }
}
