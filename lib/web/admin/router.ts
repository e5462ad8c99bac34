import type { Request, Router } from 'express'
import { USER_ACTION_NAMES, type UserAction } from '../../domain/admin-actions.js'
import { checkCall } from '../../errors/check-call.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import { withTimeout } from '../../ports/with-timeout.js'
import { LARGE_BODY } from '../request/body.js'
import { liesUnder } from '../request/destination.js'
import type { Handler } from '../request/handler.js'
import { noteAdminRouter } from '../request/mounted-admin.js'
import type { Site } from '../request/site.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { nothing, signedIn } from '../routing/requirements.js'
import { type Route, route, routerOf } from '../routing/routes.js'
import { undecodablePath } from '../routing/undecodable-path.js'
import { showAction } from './action-page.js'
import { userChanges } from './actions.js'
import { bulkChange } from './bulk.js'
import type { Change } from './change.js'
import { listEvents, showEvent } from './events.js'
import { showOverview } from './overview.js'
import { changePolicy, showPolicy } from './policy.js'
import { directoryOf, forAdmins, forWholeAdmins } from './requirements.js'
import { showUser, toUser, toUsers } from './user.js'
import { listUsers } from './users.js'

const REMOVE = '/users/:id/authenticators/:authenticatorId/remove'

/** The contents page: every route of the admin router, and its handler. */
const routes = [
  seen('/', showOverview),
  seen('/users', listUsers),
  seen('/users/:id', showUser),
  ...USER_ACTION_NAMES.map((name) => changed('post', pathOf(name), userChanges[name])),
  route('get', '/users/:id/:action', nothing, showAction),
  route('get', REMOVE, nothing, toUser),
  route('get', '/bulk', nothing, toUsers),
  route('post', '/bulk', signedIn, bulkChange.answer, bulkChange.refuse, LARGE_BODY),
  forWhole('/policy', showPolicy),
  changed('put', '/policy', changePolicy),
  changed('post', '/policy', changePolicy),
  forWhole('/events', listEvents),
  forWhole('/events/:id', showEvent),
] as const

function pathOf(action: UserAction): string {
  return action === 'remove-authenticator' ? REMOVE : `/users/:id/${action}`
}

/** Authorises before looking anything up. */
function seen(path: string, handler: Handler<SignedInVisitor>): Route {
  return route('get', path, signedIn, forAdmins(handler))
}

/** The same, for all admins but a help desk. */
function forWhole(path: string, handler: Handler<SignedInVisitor>): Route {
  return route('get', path, signedIn, forWholeAdmins(handler))
}

/** Authorises a change when its body has arrived, and audits a refusal. */
function changed(method: 'post' | 'put', path: string, { answer, refuse }: Change): Route {
  return route(method, path, signedIn, answer, refuse)
}

/** Options of `adminRouter()`. */
export interface AdminRouterOptions<U = Express.User> {
  /**
   * Lets in a user who is not an admin by `adminRoles` or `isAdmin`, for example support staff. Any
   * value but `true` refuses. Called at every request, and again when the body of a change has
   * arrived. Default: nobody.
   */
  readonly allow?: (req: Request, user: U) => boolean | Promise<boolean>
  /**
   * Whether a change without a reason is refused: `malformed-request` with the field `reason`. Default: false.
   */
  readonly demandReason?: boolean
}

/**
 * The admin router. Mount it at `paths.admin` behind the host's own check. A user who is not an
 * admin gets 403 `forbidden`, even if that check is missing.
 *
 * @throws ConfigurationError without the option `users`, for an unknown option, or below the user router
 */
export function adminRouter(site: Site, options: AdminRouterOptions = {}): Router {
  checkCall(options, ['allow', 'demandReason'], 'adminRouter')
  const { allow, demandReason = false } = options
  if (allow !== undefined && typeof allow !== 'function') {
    throw new ConfigurationError('`adminRouter.allow` must be a function of request and user')
  }
  if (typeof demandReason !== 'boolean') {
    throw new ConfigurationError('`adminRouter.demandReason` must be true or false')
  }
  checkPlace(site)
  directoryOf(site)
  const allowAdmin = allow === undefined ? site.allowAdmin : allowedBy(allow, site.timeout)
  const ofAdmins = { ...site, allowAdmin, demandReason }
  const made = routerOf(ofAdmins, { call: 'adminRouter()', path: 'admin' }, routes)
  made.use(undecodablePath(site))
  noteAdminRouter(site.paths)
  return made
}

/** The user router answers all that lies in its folder: the admin pages would be 404. */
function checkPlace({ paths: { admin, secondStep } }: Site): void {
  if (!liesUnder(admin, secondStep)) return
  throw new ConfigurationError(
    `\`paths.admin\` (${admin}) lies in \`paths.secondStep\` (${secondStep}): give one of them a path elsewhere`,
  )
}

function allowedBy(
  allow: NonNullable<AdminRouterOptions['allow']>,
  timeout: number,
): Site['allowAdmin'] {
  return (req, user) =>
    withTimeout('adminRouter.allow()', async () => (await allow(req, user)) === true, timeout)
}
