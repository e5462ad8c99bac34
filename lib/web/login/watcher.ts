import { UnavailableError } from '../../errors/unavailable-error.js'
import { removeUser } from '../request/passport.js'
import { isSessionStoreDisconnected } from '../request/session-store-state.js'
import type { Site } from '../request/site.js'
import type { Watcher } from '../request/watching.js'
import { meetFoundUser } from './found-user.js'
import { meetOnRequest, noRequest, pastTheGate, realRequestOf } from './stand-in.js'

/** For every instance. Uses the guard that has seen the request, if there is one. */
export function watcherOf(site: Site): Watcher {
  return {
    timeout: site.timeout,
    found: (found) => meetFoundUser(site, found),
    session(req, next, guarded) {
      const real = realRequestOf(req)
      // For a session() behind the guard: checks its user before other code sees them.
      try {
        if (real.kind === 'guarded') return meetOnRequest(req, real, next)
        if (real.kind === 'in-front' || !guarded) return next()
        removeUser(req)
        next(noRequest('passport.session()'))
      } catch (error) {
        next(error)
      }
    },
    logIn(req) {
      const real = realRequestOf(req)
      const behind = real.kind === 'guarded' && real.req !== req
      return real.kind === 'unknown' || behind ? pastTheGate() : null
    },
    whyNoSession: () =>
      isSessionStoreDisconnected(site) ? new UnavailableError('the session store') : null,
  }
}
