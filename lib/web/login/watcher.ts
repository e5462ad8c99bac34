import { UnavailableError } from '../../errors/unavailable-error.js'
import { isSessionStoreDisconnected } from '../request/session-store-state.js'
import type { Site } from '../request/site.js'
import { knownGuardStateOf } from '../request/visitor.js'
import type { Watcher } from '../request/watched-passport.js'
import { meetFoundUser } from './found-user.js'

/** For every instance. Uses the guard that has seen the request, if there is one. */
export function watcherOf(site: Site): Watcher {
  return {
    found: meetFoundUser,
    session(req, next) {
      const state = knownGuardStateOf(req)
      // For a session() behind the guard: checks its user before other code sees them.
      if (state === undefined) next()
      else state.look(req, state.res, next)
    },
    whyNoSession: () =>
      isSessionStoreDisconnected(site) ? new UnavailableError('the session store') : null,
  }
}
