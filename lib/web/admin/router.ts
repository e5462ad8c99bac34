import type { ErrorRequestHandler, Router } from 'express'
import type { Handler } from '../handler.js'
import { signedIn } from '../needs.js'
import { sendProblem } from '../respond.js'
import { type Route, route, routerOf } from '../routes.js'
import type { Site } from '../site.js'
import type { SignedInVisitor } from '../visitor.js'
import {
  disable,
  endSessions,
  makeBackupCodes,
  makeOneTimeCode,
  pause,
  reset,
  resume,
  unlock,
} from './actions.js'
import type { Change } from './change.js'
import { listEvents } from './events.js'
import { directoryOf, forAdmins } from './needs.js'
import { changePolicy, showPolicy } from './policy.js'
import { showUser } from './user.js'
import { listUsers, toUsers } from './users.js'

/** The contents page: every route of the admin router, and who answers it. */
const routes = [
  seen('/', toUsers),
  seen('/users', listUsers),
  seen('/users/:id', showUser),
  changed('post', '/users/:id/disable', disable),
  changed('post', '/users/:id/pause', pause),
  changed('post', '/users/:id/resume', resume),
  changed('post', '/users/:id/reset', reset),
  changed('post', '/users/:id/backup-codes', makeBackupCodes),
  changed('post', '/users/:id/one-time-code', makeOneTimeCode),
  changed('post', '/users/:id/unlock', unlock),
  changed('post', '/users/:id/end-sessions', endSessions),
  seen('/policy', showPolicy),
  changed('put', '/policy', changePolicy),
  changed('post', '/policy', changePolicy),
  seen('/events', listEvents),
] as const

/** Whom it is shown to is asked before it is looked up. */
function seen(path: string, handler: Handler<SignedInVisitor>): Route {
  return route('get', path, signedIn, forAdmins(handler))
}

/** Who may change something is asked when the body is there, and a refusal is written down. */
function changed(method: 'post' | 'put', path: string, { answer, refuse }: Change): Route {
  return route(method, path, signedIn, answer, refuse)
}

/**
 * The admin router, to be mounted at `paths.admin` behind the host's own check.
 *
 * @throws ConfigurationError without the option `users`
 */
export function adminRouter(site: Site): Router {
  directoryOf(site)
  const made = routerOf(site, { call: 'adminRouter()', path: 'admin' }, routes)
  made.use(undecodablePath(site))
  return made
}

/** A path such as `/users/%ff` is none of ours; Express throws at it. */
function undecodablePath(site: Site): ErrorRequestHandler {
  return (error, req, res, next) => {
    if (!(error instanceof URIError) || res.headersSent) return next(error)
    sendProblem(site, req, res, { code: 'not-found' }).catch(next)
  }
}
