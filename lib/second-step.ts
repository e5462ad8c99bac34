import type { IncomingMessage } from 'node:http'
import type { ErrorRequestHandler, RequestHandler, Router } from 'express'
import type { Strategy } from 'passport'
import { checkNoMiddleware, checkNoOptions } from './errors/check-call.js'
import { ConfigurationError, isConfigurationError } from './errors/configuration-error.js'
import { UnavailableError } from './errors/unavailable-error.js'
import { isOnesOwn } from './options/check-described.js'
import type { CheckedOptions } from './options/check-options.js'
import type { SecondStepOptions } from './options/options.js'
import type { SecondStepEvents } from './service/announcer.js'
import { emailChanged } from './service/changed-address.js'
import { closing } from './service/closing.js'
import type { FailureReporter } from './service/failure-reporter.js'
import type { Health } from './service/health.js'
import type { Records } from './service/records.js'
import type { SecondStepStatus } from './service/status.js'
import { type AdminRouterOptions, adminRouter } from './web/admin/router.js'
import type { RequireFreshOptions } from './web/login/fresh-rule.js'
import { type GuardOptions, guard } from './web/login/guard.js'
import { type LimitPasswordOptions, limitPassword } from './web/login/limit-password.js'
import { type PasswordChangedOptions, passwordChanged } from './web/login/password-changed.js'
import { requireFresh } from './web/login/require-fresh.js'
import { requireSignedIn } from './web/login/require-signed-in.js'
import { SecondStepStrategy } from './web/login/strategy.js'
import { watcherOf } from './web/login/watcher.js'
import { watchPassport } from './web/request/watched-passport.js'
import { errorHandler } from './web/routing/error-handler.js'
import { router } from './web/user/router.js'
import { type Wired, wire } from './wiring.js'

/**
 * The result of `createSecondStep`: the parts to mount, and the functions for the host's own code.
 */
export interface SecondStep<U = Express.User> {
  /**
   * Middleware. Mount it once, after `passport.session()`: every way to sign in then needs the
   * second step.
   */
  guard(options?: GuardOptions): RequestHandler
  /**
   * Challenge, set-up, settings and lost code, as pages and JSON. Mount it at `paths.secondStep`.
   */
  router(): Router
  /**
   * The routes for admins, as pages and JSON. Mount it at `paths.admin`, behind the host's own
   * check that the user is an admin. It refuses users who are not admins by `adminRoles` or
   * `isAdmin`, unless `allow` lets them in.
   *
   * @throws ConfigurationError without the option `users`, or for an unknown option
   */
  adminRouter(options?: AdminRouterOptions<U>): Router
  /** A Passport strategy `second-step`, only for hosts that draw their own challenge page. */
  strategy(): Strategy
  /** Middleware for sensitive routes: requires a code of the last five minutes. */
  requireFresh(options?: RequireFreshOptions): RequestHandler
  /** Middleware before `passport.authenticate()`: limits wrong passwords. */
  limitPassword(options?: LimitPasswordOptions): RequestHandler
  /**
   * The last middleware: answers 503 if a store or another part does not answer, as JSON or as a
   * page.
   */
  errorHandler(): ErrorRequestHandler
  /**
   * The user of a web-socket upgrade, on which the session's and Passport's middleware have run.
   *
   * @throws NotSignedInError, UnavailableError
   */
  requireSignedIn(req: IncomingMessage): Promise<U>
  /**
   * Call it after a password was changed and before you send the response. Ends every session,
   * pending login and waiting reset by mail of the user, except the session of the request in
   * `except`. Clears misses, waits and the lock.
   *
   * @throws UnavailableError; ConfigurationError for an unknown option, or a request that no guard has seen
   * @example await secondStep.passwordChanged(req.user.id, { except: req })
   */
  passwordChanged(userId: unknown, options?: PasswordChangedOptions): Promise<void>
  /**
   * Call it after the e-mail address of a user was changed. Ends a waiting reset by mail. Its links
   * never work again, even if the address is changed back later. Sessions stay.
   *
   * @throws UnavailableError
   * @example await secondStep.emailChanged(req.user.id)
   */
  emailChanged(userId: unknown): Promise<void>
  /** Ends every session and pending login of a user. */
  endSessions(userId: unknown): Promise<void>
  /** The state of a user's second step. */
  status(userId: unknown): Promise<SecondStepStatus>
  /**
   * Asks the parts that the second step depends on how they are, for a readiness route: within two seconds, and only
   * by reads. Never rejects. Why a part is away is a process warning.
   */
  health(): Promise<Health>
  /** The events of all second steps: each under its type, and all under `event`. */
  readonly events: SecondStepEvents
  /**
   * Call it once the server has closed. Stops what runs in the background, waits for pending mails, at most 20 seconds in
   * all, and releases what the package or its store opened. Clients that the host gave stay open.
   *
   * @throws UnavailableError where a store of the host's own does not close
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
 *   store: redisStore(redis),
 * })
 * app.use(passport.session())
 * app.use(secondStep.guard())
 * app.use('/second-step', secondStep.router())
 */
export function createSecondStep<U = Express.User>(options: SecondStepOptions<U>): SecondStep<U> {
  const wired = wire(options)
  const { site, announcer, records, changeNews, status, health } = wired
  const { readyMailResets, reminders, earlyKeyCheck, measurements, overview } = wired
  const { sessions } = site
  const meant = namedUsers(wired)
  for (const passport of site.passports) watchPassport(passport, watcherOf(site))
  measurements?.start(announcer, overview)
  openEarly(records, site.failureReporter)
  readyMailResets?.start()
  reminders?.start()
  earlyKeyCheck?.start()
  changeNews?.listen()

  return {
    guard: (guardOptions) => guard(site, guardOptions),
    router: (...none: never[]) => {
      checkNoOptions(none, 'router()')
      return router(site)
    },
    adminRouter: (adminOptions) => adminRouter(site, adminOptions as AdminRouterOptions),
    strategy: (...none: never[]) => {
      checkNoOptions(none, 'strategy()')
      return new SecondStepStrategy(site)
    },
    requireFresh: (freshOptions) => requireFresh(site, freshOptions),
    limitPassword: (limitOptions) => limitPassword(site, limitOptions),
    errorHandler: (...none: never[]) => {
      checkNoOptions(none, 'errorHandler()')
      return errorHandler(site)
    },
    requireSignedIn: async (req, ...none: never[]) => {
      checkNoMiddleware(none)
      return (await requireSignedIn(site, req)) as U
    },
    passwordChanged: async (userId, named) =>
      passwordChanged(site, await meant(userId, 'passwordChanged'), named),
    emailChanged: async (userId) => emailChanged(records, await meant(userId, 'emailChanged')),
    endSessions: async (userId) => sessions.endAll(await meant(userId, 'endSessions')),
    status: async (userId) => status.of(await meant(userId, 'status')),
    health: () => health.ask(),
    events: announcer.events,
    close: closing({ ...wired, lost: site.lost, audit: site.audit, timeout: site.timeout }),
  }
}

/**
 * Reports a mistake in the store's set-up at start-up. Tries again if the store is only connecting.
 */
function openEarly(records: Records, failureReporter: FailureReporter): void {
  records.open().catch((error: unknown) => {
    const cause: unknown = Reflect.get(Object(error), 'cause')
    if (isConfigurationError(cause)) failureReporter.report(error)
  })
}

/** The id in the records of the user whom the host's own code names. */
function namedUsers({ checked, site, records, knownUsers }: Wired) {
  return async (userId: unknown, call: string): Promise<string> => {
    const id = recordIdOf(checked, userId, call)
    const hasRecord = async () => (await records.find(id)).version > 0
    await knownUsers?.checkNamed(id, call, hasRecord).catch((error: unknown) => {
      // What ends sessions must not wait for a user store that is away.
      if (!(error instanceof UnavailableError)) throw error
      site.failureReporter.report(error)
    })
    return id
  }
}

/** @throws ConfigurationError for what is no id, naming the host's call */
function recordIdOf({ recordIdOf: find }: CheckedOptions, userId: unknown, call: string): string {
  const known = isOnesOwn(userId) ? find(String(userId)) : null
  if (known !== null) return known
  throw new ConfigurationError(
    `${call}() needs the id of a user, and was given none: ${call}(req.user.id), say`,
  )
}
