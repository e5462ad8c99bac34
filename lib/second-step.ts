import type { IncomingMessage } from 'node:http'
import type { ErrorRequestHandler, RequestHandler, Router } from 'express'
import type { Strategy } from 'passport'
import { ConfigurationError } from './errors/configuration-error.js'
import type { SecondStepOptions } from './options/options.js'
import type { SecondStepEvents } from './service/announcer.js'
import { emailChanged } from './service/changed-address.js'
import type { Records } from './service/records.js'
import type { SecondStepStatus } from './service/status.js'
import type { Trouble } from './service/trouble.js'
import { type AdminRouterOptions, adminRouter } from './web/admin/router.js'
import { type GuardOptions, guard } from './web/login/guard.js'
import { type LimitPasswordOptions, limitPassword } from './web/login/limit-password.js'
import { type PasswordChangedOptions, passwordChanged } from './web/login/password-changed.js'
import { type RequireFreshOptions, requireFresh } from './web/login/require-fresh.js'
import { requireSignedIn } from './web/login/require-signed-in.js'
import { SecondStepStrategy } from './web/login/strategy.js'
import { errorHandler } from './web/routing/error-handler.js'
import { router } from './web/user/router.js'
import { wire } from './wiring.js'

/** What `createSecondStep` makes: the parts to mount, and what the host's own code calls. */
export interface SecondStep<U = Express.User> {
  /** Middleware, once after `passport.session()`: every way in meets the second step. */
  guard(options?: GuardOptions): RequestHandler
  /** Challenge, set-up, settings and lost code, as pages and JSON; mounted at `paths.secondStep`. */
  router(): Router
  /**
   * What admins see and change, as pages and JSON; mounted at `paths.admin` behind the host's own
   * check of who is an admin. It refuses whoever has none of `adminRoles` and is none by `isAdmin`,
   * unless `allow` says otherwise.
   *
   * @throws ConfigurationError without the option `users`, or for an unknown option
   */
  adminRouter(options?: AdminRouterOptions<U>): Router
  /** A Passport strategy `second-step`, only for hosts that draw their own challenge page. */
  strategy(): Strategy
  /** Middleware for sensitive routes: a code not older than five minutes. */
  requireFresh(options?: RequireFreshOptions): RequestHandler
  /** Middleware before `passport.authenticate()`: limits wrong passwords. */
  limitPassword(options?: LimitPasswordOptions): RequestHandler
  /** Last middleware: 503 where a part does not answer, as JSON or a page. */
  errorHandler(): ErrorRequestHandler
  /**
   * The user of a web-socket upgrade, on which the session's and Passport's middleware have run.
   *
   * @throws NotSignedInError, UnavailableError
   */
  requireSignedIn(req: IncomingMessage): Promise<U>
  /**
   * To be called after a password was changed, and before the response is sent: ends every session,
   * pending login and waiting reset by mail of the user, but the session of the request that is named,
   * and clears misses, waits and the lock.
   *
   * @throws UnavailableError; ConfigurationError for an unknown option, or a request that no guard has seen
   * @example await secondStep.passwordChanged(req.user.id, { except: req })
   */
  passwordChanged(userId: unknown, options?: PasswordChangedOptions): Promise<void>
  /**
   * To be called after the e-mail address of a user was changed: ends a reset by mail that waits and
   * every link to it, also where the address is changed back later. Sessions go on.
   *
   * @throws UnavailableError
   * @example await secondStep.emailChanged(req.user.id)
   */
  emailChanged(userId: unknown): Promise<void>
  /** Ends every session and pending login of a user. */
  endSessions(userId: unknown): Promise<void>
  /** Whether and how a user has a second step. */
  status(userId: unknown): Promise<SecondStepStatus>
  /** What happens to second steps: each event under its type, and all under `event`. */
  readonly events: SecondStepEvents
  /**
   * Waits for mails that are under way, at most 20 seconds, and lets go of what the store opened.
   * Clients that the host gave stay open.
   */
  close(): Promise<void>
}

/**
 * Makes the second step of an app.
 *
 * @throws ConfigurationError for a wrong option, naming it and the fix
 * @example
 * const secondStep = createSecondStep({
 *   issuer: 'Acme', origin: 'https://acme.example', keys: [process.env.SECOND_STEP_KEY],
 *   store: redisStore(redis), redis,
 * })
 * app.use(passport.session())
 * app.use(secondStep.guard())
 * app.use('/second-step', secondStep.router())
 */
export function createSecondStep<U = Express.User>(options: SecondStepOptions<U>): SecondStep<U> {
  const { checked, site, announcer, records, status, mails, readyMailResets } = wire(options)
  const { sessions } = site
  const recordId = (userId: unknown) => checked.recordId(userId)
  openEarly(records, site.trouble)
  readyMailResets?.start()

  return {
    guard: (guardOptions) => guard(site, guardOptions),
    router: () => router(site),
    adminRouter: (adminOptions) => adminRouter(site, adminOptions as AdminRouterOptions),
    strategy: () => new SecondStepStrategy(site),
    requireFresh: (freshOptions) => requireFresh(site, freshOptions),
    limitPassword: (limitOptions) => limitPassword(site, limitOptions),
    errorHandler: () => errorHandler(site),
    requireSignedIn: async (req) => (await requireSignedIn(site, req)) as U,
    passwordChanged: async (userId, named) => passwordChanged(site, recordId(userId), named),
    emailChanged: async (userId) => emailChanged(records, recordId(userId)),
    endSessions: async (userId) => sessions.endAll(recordId(userId)),
    status: async (userId) => status.of(recordId(userId)),
    events: announcer.events,
    close: async () => {
      await readyMailResets?.stop()
      await site.lost?.settled()
      await mails?.settled()
      await options.store.close?.()
    },
  }
}

/** A mistake in the store's set-up is said at start-up; one that only connects is tried again. */
function openEarly(records: Records, trouble: Trouble): void {
  records.open().catch((error: unknown) => {
    const cause: unknown = Reflect.get(Object(error), 'cause')
    if (cause instanceof ConfigurationError) trouble.report(error)
  })
}
