import type { IncomingMessage } from 'node:http'
import type { ErrorRequestHandler, RequestHandler, Router } from 'express'
import passport, { type Strategy } from 'passport'
import { ConfigurationError } from './errors/configuration-error.js'
import { keyRing } from './keys/key-ring.js'
import { memoryCounters } from './limits/memory-counters.js'
import { redisCounters } from './limits/redis-counters.js'
import { type CheckedOptions, checkOptions } from './options/check-options.js'
import type { SecondStepOptions } from './options/options.js'
import type { AuditLog } from './ports/audit-log.js'
import { system as theSystem } from './ports/system.js'
import { within } from './ports/within.js'
import { Announcer, type SecondStepEvents } from './service/announcer.js'
import { Audit } from './service/audit.js'
import { BackupCodes } from './service/backup-codes.js'
import { Challenge } from './service/challenge.js'
import { Limits } from './service/limits.js'
import { type MailParts, Mails } from './service/mails.js'
import { Records } from './service/records.js'
import { Reset } from './service/reset.js'
import { type FindSubject, Sessions } from './service/sessions.js'
import { Setup } from './service/setup.js'
import { type SecondStepStatus, Status } from './service/status.js'
import { Trouble } from './service/trouble.js'
import { Vault } from './service/vault.js'
import { memoryAuditLog } from './stores/memory-audit-log.js'
import { ejsBanner } from './web/banner.js'
import { errorHandler } from './web/error-handler.js'
import { type GuardOptions, guard } from './web/guard.js'
import { type LimitPasswordOptions, limitPassword } from './web/limit-password.js'
import { ejsMails } from './web/mails.js'
import { loadMessages } from './web/messages.js'
import { ejsPages } from './web/pages.js'
import { type RequireFreshOptions, requireFresh } from './web/require-fresh.js'
import { requireSignedIn } from './web/require-signed-in.js'
import { router } from './web/router.js'
import type { Site } from './web/site.js'
import { SecondStepStrategy } from './web/strategy.js'
import { ejsViews } from './web/views.js'

/** What `createSecondStep` makes: the parts to mount, and what the host's own code calls. */
export interface SecondStep<U = Express.User> {
  /** Middleware, once after `passport.session()`: every way in meets the second step. */
  guard(options?: GuardOptions): RequestHandler
  /** Challenge, set-up and settings, as pages and JSON; mounted at `paths.secondStep`. */
  router(): Router
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
  /** To be called after a password was changed: clears misses, waits and the lock. */
  passwordChanged(userId: unknown): Promise<void>
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
  const checked = checkOptions(options)
  const production = process.env.NODE_ENV === 'production'
  const { parameters, window, hostId, ...ofSite } = checked
  const system = options.system ?? theSystem
  const { sealer, digester } = keyRing(options.keys, system)
  const audit = new Audit(auditLogOf(options, production))
  const announcer = new Announcer(system, audit, checked.hostId)
  const records = new Records(options.store, system, announcer, {
    production,
    backupCodes: checked.backupCodes,
    window,
  })
  const counters = countersOf(options.redis, production)
  const limits = new Limits(counters, announcer)
  const trouble = new Trouble(system)
  const vault = new Vault(sealer)
  const sessions = new Sessions(records, system, subjectsOf(options, checked))
  const status = new Status(records, system, window)
  const now = () => system.now()
  const challenge = new Challenge({ records, limits, vault, digester, window, now })
  const backupCodes = new BackupCodes({ challenge, digester, system })
  const setupParts = { records, challenge, limits, vault, backupCodes, system }
  const views = ejsViews(options.views)
  const site: Site = {
    ...ofSite,
    challenge,
    backupCodes,
    setup: new Setup({ ...setupParts, parameters, window }),
    reset: new Reset(challenge),
    limits,
    trouble,
    sessions,
    audit,
    system,
    messages: loadMessages(options.messages),
    render: options.render ?? ejsPages(views),
    banner: ejsBanner(views),
    passports: options.passports ?? [passport],
    onPending: options.onPending ?? null,
    mails: options.mail !== undefined,
  }
  const mails = mailsOf(
    options,
    { announcer, counters, hostId, write: ejsMails(views, site) },
    site,
  )
  const recordId = (userId: unknown) => checked.recordId(userId)
  openEarly(records, trouble)

  return {
    guard: (guardOptions) => guard(site, guardOptions),
    router: () => router(site),
    strategy: () => new SecondStepStrategy(site),
    requireFresh: (freshOptions) => requireFresh(site, freshOptions),
    limitPassword: (limitOptions) => limitPassword(site, limitOptions),
    errorHandler: () => errorHandler(site),
    requireSignedIn: async (req) => (await requireSignedIn(site, req)) as U,
    passwordChanged: async (userId) => sessions.passwordChanged(recordId(userId)),
    endSessions: async (userId) => sessions.endAll(recordId(userId)),
    status: async (userId) => status.of(recordId(userId)),
    events: announcer.events,
    close: async () => {
      await mails?.settled()
      await options.store.close?.()
    },
  }
}

function countersOf(redis: SecondStepOptions['redis'], production: boolean) {
  if (redis !== undefined) return redisCounters(redis)
  if (!production) return memoryCounters()
  throw new ConfigurationError(
    '`redis` is missing: in production the attempt counters need it, so that all processes share them',
  )
}

function auditLogOf<U>(options: SecondStepOptions<U>, production: boolean): AuditLog {
  const log = options.audit ?? options.store.audit
  if (log !== undefined) return log
  if (!production) return memoryAuditLog()
  throw new ConfigurationError(
    '`audit` is missing: the store has no audit log of its own, so name one, such as audit: redisAuditLog(redis)',
  )
}

/** Looks up whom the rules are asked about among the host's users. */
function subjectsOf<U>(
  { users }: SecondStepOptions<U>,
  { describe, hostId }: CheckedOptions,
): FindSubject | null {
  if (users === undefined) return null
  return async (userId) => {
    const user = await within('the user store', () => users.findById(hostId(userId)))
    return user ? describe(user as Express.User).subject : null
  }
}

function mailsOf<U>(
  { users, mail }: SecondStepOptions<U>,
  parts: Pick<MailParts<U>, 'announcer' | 'counters' | 'hostId' | 'write'>,
  { describe }: Site,
): Mails<U> | null {
  if (users === undefined || mail === undefined) return null
  const describeUser = (user: U) => describe(user as Express.User)
  const { transport: mailer, from } = mail
  return new Mails({ ...parts, users, describe: describeUser, mailer, from })
}

/** A mistake in the store's set-up is said at start-up; one that only connects is tried again. */
function openEarly(records: Records, trouble: Trouble): void {
  records.open().catch((error: unknown) => {
    const cause: unknown = Reflect.get(Object(error), 'cause')
    if (cause instanceof ConfigurationError) trouble.report(error)
  })
}
