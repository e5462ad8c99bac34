import { AsyncLocalStorage } from 'node:async_hooks'
import passport from 'passport'
import { isForHelpDesk } from './domain/admin-actions.js'
import { DAY_MS } from './domain/units.js'
import { ConfigurationError } from './errors/configuration-error.js'
import { keyRing } from './keys/key-ring.js'
import { memoryCounters } from './limits/memory-counters.js'
import { prefixCounters, realmCounters } from './limits/realm-counters.js'
import { redisCounters } from './limits/redis-counters.js'
import { type CheckedOptions, checkOptions } from './options/check-options.js'
import { delayOf, findMailResetUser } from './options/mail-reset-user.js'
import type { SecondStepOptions } from './options/options.js'
import type { AuditLog } from './ports/audit-log.js'
import type { Counters } from './ports/counters.js'
import type { RecordStore } from './ports/record-store.js'
import { systemOf } from './ports/system.js'
import type { Users } from './ports/users.js'
import { withTimeout } from './ports/with-timeout.js'
import { warnOfSharedKeys } from './redis/warn-of-shared-keys.js'
import { Accounts } from './service/accounts.js'
import { AdminChanges } from './service/admin-changes.js'
import { AdminLimits } from './service/admin-limits.js'
import { Administration } from './service/administration.js'
import { Announcer } from './service/announcer.js'
import { AssignedTokens } from './service/assigned-tokens.js'
import { Audit } from './service/audit.js'
import { BackupCodes } from './service/backup-codes.js'
import { Challenge } from './service/challenge.js'
import { ChangeNews } from './service/change-news.js'
import { CodeLimits } from './service/code-limits.js'
import { Directory } from './service/directory.js'
import { EarlyKeyCheck } from './service/early-key-check.js'
import { FailureReporter } from './service/failure-reporter.js'
import { GuessWarnings } from './service/guess-warnings.js'
import { HealthCheck } from './service/health.js'
import { KeptLooks } from './service/kept-looks.js'
import { KeysOfUsers } from './service/keys-of-users.js'
import { KnownUsers } from './service/known-users.js'
import { Lost, type LostParts } from './service/lost.js'
import { MailLimits } from './service/mail-limits.js'
import { MailResetTokens } from './service/mail-reset-tokens.js'
import { mailedDevicesIn } from './service/mailed-devices.js'
import { type MailParts, Mails } from './service/mails.js'
import { Measurements } from './service/measurements.js'
import { MountedRules } from './service/mounted-rules.js'
import { NotedAttempts } from './service/noted-attempts.js'
import { OneTimeCodes } from './service/one-time-codes.js'
import { Overview } from './service/overview.js'
import { OwnAuthenticators } from './service/own-authenticators.js'
import { PasswordLimits } from './service/password-limits.js'
import type { PolicyCounts } from './service/policy-count.js'
import { PolicyPreviews } from './service/policy-previews.js'
import { ReadyMailResets } from './service/ready-mail-resets.js'
import { Records } from './service/records.js'
import { Reminders } from './service/reminders.js'
import { Reset } from './service/reset.js'
import { SerialNumbers } from './service/serial-numbers.js'
import { type FindSubject, Sessions } from './service/sessions.js'
import { Setup } from './service/setup.js'
import { SetupConfirmations } from './service/setup-confirmations.js'
import { ShowAgain } from './service/shown-codes.js'
import { Status } from './service/status.js'
import { Tally } from './service/tally.js'
import { timedCounters } from './service/timed-counters.js'
import { timedDigester } from './service/timed-digester.js'
import { ToldAdmins } from './service/told-admins.js'
import { TrustedBrowsers } from './service/trusted-browsers.js'
import { UnfulfilledRules } from './service/unfulfilled-rules.js'
import { UnreadableSecrets } from './service/unreadable-secrets.js'
import { Upstream } from './service/upstream.js'
import { Vault } from './service/vault.js'
import { memoryAuditLog } from './stores/memory-audit-log.js'
import { ejsPages } from './text/ejs-pages.js'
import { MAIL_VIEWS } from './text/mail-frame.js'
import { ejsMails } from './text/mails.js'
import { loadMessages } from './text/messages.js'
import { ownRender } from './text/own-render.js'
import { ejsToldMails } from './text/told-mails.js'
import { ejsViews } from './text/views.js'
import { ejsBanner } from './web/login/banner.js'
import type { Site } from './web/request/site.js'
import { ceremonyChecks } from './webauthn/ceremony-checks.js'

/** The parts of a second step that work together, for the app and for the command line. */
export interface Wired {
  readonly checked: CheckedOptions
  readonly store: RecordStore
  readonly site: Site
  readonly announcer: Announcer
  /** Holds places to give back, for which nobody waits. */
  readonly tally: Tally
  readonly records: Records
  /** Tells and hears of changes. Null if the guard reads at every request. */
  readonly changeNews: ChangeNews | null
  readonly status: Status
  readonly health: HealthCheck
  /** Null if nothing is measured. */
  readonly measurements: Measurements | null
  /** Null if the host has given no `users`. */
  readonly knownUsers: KnownUsers | null
  /** Null if the host has given no `users`. */
  readonly findSubject: FindSubject | null
  readonly vault: Vault
  /** Null if the host sends no mails. */
  readonly mails: Mails | null
  /** Null if the host sends no mails. */
  readonly guessWarnings: GuessWarnings | null
  /** Mails users whose reset's wait is over. Null if no reset can wait. */
  readonly readyMailResets: ReadyMailResets | null
  /** Null without security keys. */
  readonly earlyKeyCheck: EarlyKeyCheck | null
  /** Null if the host has given no `users`. */
  readonly overview: Overview | null
  /** Null if the host has given no `users`. */
  readonly policyCounts: PolicyCounts | null
  /** Null if nobody is reminded. */
  readonly reminders: Reminders | null
}

/**
 * The one place where the parts are wired together.
 *
 * @param use `operator`: for a command, which counts nothing and looks at the store as in production,
 *   because an emptied Redis must not be declared trustworthy by a look at it
 * @throws ConfigurationError for a wrong option, naming it and the fix
 */
export function wire<U>(options: SecondStepOptions<U>, use: 'app' | 'operator' = 'app'): Wired {
  const checked = checkOptions(options)
  const production = process.env.NODE_ENV === 'production'
  const { parameters, window, hostId, beliefs, trust, ...ofSite } = checked
  const { timeout } = checked
  const system = systemOf(options.system)
  const ring = keyRing(options.keys, system)
  const digester = timedDigester(ring.digester, timeout)
  const { keyIds } = digester
  if (use === 'app') warnOfSharedKeys(options)
  const shared = sharedCountersOf(options)
  const counters = timedCounters(countersOf(shared, options, use === 'app' && production), timeout)
  const log = auditLogOf(options, use === 'operator' || production)
  const tally = new Tally(counters, timeout)
  const noted = new NotedAttempts(tally)
  const failureReporter = new FailureReporter(system)
  const report = (error: unknown) => failureReporter.report(error)
  const audit = new Audit(log, timeout, noted, () => system.now(), { system, report })
  const announcer = new Announcer(system, audit, hostId)
  const measurements = use === 'app' ? measurementsOf(options, failureReporter) : null
  const keptLooks = checked.keptFor === null ? null : new KeptLooks(checked.keptFor, system)
  const changeNews = keptLooks && changeNewsOf(options, keptLooks, failureReporter)
  const records = new Records(options.store, system, announcer, {
    production: use === 'operator' || production,
    timeout,
    backupCodes: checked.backupCodes,
    window,
    failureReporter,
    ownAudit: options.store.writeWith?.audit === log ? audit : null,
    watcher: changeNews,
    ...(use === 'app' && { rules: new UnfulfilledRules(checked.roles, checked.authenticators) }),
  })
  const limits = new CodeLimits({ counters, tally, announcer })
  const vault = new Vault(ring.sealer, timeout, new UnreadableSecrets(counters, announcer))
  const accounts = accountsOf(options, checked)
  const findSubject = subjectsOf(accounts)
  const { hostIdOf, recordIdOf } = checked
  const knownUsers = accounts && new KnownUsers({ accounts, hostIdOf })
  const sessions = new Sessions(records, system, {
    ...{ knownUsers, window, keptLooks, names: namesOf(keyIds, ofSite) },
    trustLasts: trust === null ? 0 : trust.days * DAY_MS,
    byProvider: beliefs.length > 0,
  })
  const keys = new KeysOfUsers(vault, digester)
  const oneTimeCodes = new OneTimeCodes({ keys, system })
  const now = () => system.now()
  const views = ejsViews(options.views)
  const messages = loadMessages(options.messages)
  const mailSite = { ...ofSite, messages }
  const write = ejsMails(views, mailSite)
  const writeTold = ejsToldMails(views, mailSite)
  views.checkHosts(MAIL_VIEWS)
  const findDevices = mailedDevicesIn({
    ...{ records, keyIds, window, now },
    relyingParty: checked.webauthn,
  })
  const mailParts = { announcer, counters, write, writeTold, findDevices }
  const mails = mailsOf(options, mailParts, { ...ofSite, failureReporter })
  if (accounts?.searchable && mails && options.mail?.tellAdmins !== false) {
    const apart = AsyncLocalStorage.snapshot()
    new ToldAdmins({ announcer, accounts, mails, hostId, failureReporter, apart })
  }
  const guessWarnings =
    mails && new GuessWarnings({ announcer, counters, mailer: mails, now, report })
  const { webauthn } = checked
  const ceremonies = webauthn && { relyingParty: webauthn, checks: ceremonyChecks() }
  const challengeParts = {
    records,
    limits,
    keys,
    guessWarnings,
    window,
    ceremonies,
    now,
    measurements,
  }
  const mountedRules = new MountedRules()
  const challenge = new Challenge({ ...challengeParts, mountedRules })
  const backupCodes = new BackupCodes({ challenge, limits, records, keys, system })
  const setupParts = { records, limits, keys, system, ceremonies, mountedRules }
  const { store } = options
  const serials = new SerialNumbers({ store, records, system, timeout })
  const changes = new AdminChanges({ records, system, window, mountedRules })
  const codesOfAdmins = { backupCodes, oneTimeCodes }
  const administrationParts = {
    mountedRules,
    changes,
    records,
    ...codesOfAdmins,
    announcer,
    window,
    offered: {
      relyingParty: webauthn,
      types: checked.authenticators,
      backupCodes: checked.backupCodes,
    },
  }
  const tokens = new MailResetTokens({ digester, system })
  const lostParts = {
    mountedRules,
    records,
    tokens,
    announcer,
    counters,
    mails,
    failureReporter,
    system,
  }
  const { lost, readyMailResets } = lostOf(options, accounts, { ...lostParts, hostIdOf, timeout })
  const { reminderDays: days } = checked
  // A command ends with its process: without counters that outlast it, the next one would mail everybody again.
  const reminds = days.length > 0 && (use === 'app' || shared !== undefined)
  const reminderParts = { records, counters, announcer, days, now, system, failureReporter }
  const reminders =
    accounts && mails && reminds ? new Reminders({ ...reminderParts, accounts, mails }) : null
  const countParts = { records, now, roles: checked.roles, apart: AsyncLocalStorage.snapshot() }
  const counts = accounts && new PolicyPreviews({ accounts, ...countParts })
  const directoryParts = { hostIdOf, recordIdOf, records, serials, keyIds, window, now }
  const overview =
    accounts &&
    new Overview({
      ...{ accounts, ...countParts, keyIds, window, failureReporter },
      audit: options.realm === undefined ? audit : null,
      isOwn: (recordId) => hostIdOf(recordId) !== null,
    })
  const site: Site = {
    ...ofSite,
    challenge,
    mountedRules,
    backupCodes,
    oneTimeCodes,
    setup: new Setup({ ...setupParts, challenge, parameters, types: checked.authenticators }),
    setupConfirmations: new SetupConfirmations({ ...setupParts, backupCodes, window }),
    showAgain: new ShowAgain({ vault, system }),
    trustedBrowsers: trust && new TrustedBrowsers(trust, { records, challenge, digester, system }),
    lost,
    reset: new Reset({ challenge, records }),
    ownAuthenticators: new OwnAuthenticators({ challenge, limits, records, window }),
    administration: new Administration(administrationParts),
    assignedTokens: new AssignedTokens({ changes, keys, serials, system, window }),
    accounts,
    policyCounts: counts,
    directory: accounts && new Directory({ ...directoryParts, accounts }),
    overview,
    canAdminister: permissionOf(options, timeout),
    allowAdmin: async () => false,
    demandReason: false,
    limits,
    passwordLimits: new PasswordLimits(tally),
    adminLimits: new AdminLimits(counters, announcer),
    failureReporter,
    sessions,
    upstream: new Upstream({ beliefs, records, sessions, system }),
    audit,
    system,
    keyIds,
    messages,
    render:
      options.render === undefined
        ? ejsPages(views)
        : ownRender(options.render, ejsPages(views), timeout),
    banner: ejsBanner(views),
    passports: options.passports ?? [passport],
    onPending: options.onPending ?? null,
    mails: options.mail !== undefined,
  }
  const status = new Status({ records, system, window, findSubject, keyIds })
  const health = new HealthCheck({
    ...{ records, counters, audit, system, failureReporter, timeout },
    mailer: options.mail?.transport ?? null,
    checks: store.checks ?? {},
  })
  const users = { knownUsers, findSubject }
  const looks = { hostIdOf, failureReporter, now }
  const earlyKeyCheck = webauthn && new EarlyKeyCheck({ ...looks, records, rpId: webauthn.rpId })
  const inBackground = {
    ...{ tally, changeNews, guessWarnings, mails, readyMailResets, earlyKeyCheck, overview },
    policyCounts: counts,
    reminders,
  }
  return {
    checked,
    store,
    site,
    announcer,
    records,
    status,
    health,
    measurements,
    vault,
    ...users,
    ...inBackground,
  }
}

/**
 * In the place that the host names, or else with the records. The prefix that separates records separates
 * counters too.
 */
function sharedCountersOf<U>({
  counters,
  redis,
  store,
}: SecondStepOptions<U>): Counters | undefined {
  const { prefix } = store
  const inRedis = () => redis && redisCounters(redis, prefix === undefined ? {} : { prefix })
  const found = counters ?? inRedis() ?? store.counters
  const isApart = prefix === undefined || found === undefined || found.prefix !== undefined
  return isApart ? found : prefixCounters(found, prefix)
}

/** The realm that separates records separates counters too. */
function countersOf(
  shared: Counters | undefined,
  { realm }: { readonly realm?: string | undefined },
  production: boolean,
): Counters {
  if (shared === undefined && production) {
    throw new ConfigurationError(
      '`counters` are missing: in production all processes share them, and this store has none. Give `redis`, or counters: knexCounters(db)',
    )
  }
  const all = shared ?? memoryCounters()
  return realm === undefined ? all : realmCounters(all, realm)
}

function measurementsOf<U>(
  { telemetry }: SecondStepOptions<U>,
  failureReporter: FailureReporter,
): Measurements | null {
  return telemetry === undefined ? null : new Measurements(telemetry, failureReporter)
}

function auditLogOf<U>(options: SecondStepOptions<U>, production: boolean): AuditLog {
  const log = options.audit ?? options.store.audit
  if (log !== undefined) return log
  if (!production) return memoryAuditLog()
  throw new ConfigurationError(
    '`audit` is missing: the store has no audit log of its own, so name one, such as audit: redisAuditLog(redis) or audit: knexAuditLog(db)',
  )
}

function changeNewsOf<U>(
  { store, realm = '' }: SecondStepOptions<U>,
  keptLooks: KeptLooks,
  failureReporter: FailureReporter,
): ChangeNews {
  const report = (error: unknown) => failureReporter.report(error)
  return new ChangeNews({ keptLooks, signals: store.signals ?? null, realm, report })
}

/** Null if the host has given no `users`. */
function accountsOf<U>(
  { users }: SecondStepOptions<U>,
  {
    describe,
    glimpse,
    hostIdOf,
    timeout,
  }: Pick<CheckedOptions, 'describe' | 'glimpse' | 'hostIdOf' | 'timeout'>,
): Accounts<Express.User> | null {
  if (users === undefined) return null
  const known = users as Users<unknown> as Users<Express.User>
  return new Accounts({ users: known, describe, glimpse, hostIdOf, timeout })
}

function subjectsOf(accounts: Accounts<Express.User> | null): FindSubject | null {
  if (accounts === null) return null
  return async (userId) => (await accounts.find(userId))?.subject ?? null
}

/**
 * The host's rule, if there is one. By default, an admin cannot change another admin's second step. A help desk is
 * held to its few actions, and to users without rights of their own, whatever the host permits.
 */
function permissionOf<U>(
  { canAdminister }: SecondStepOptions<U>,
  timeout: number,
): Site['canAdminister'] {
  return async (actor, { user, subject }, action) => {
    if (actor.helpDesk === true && !isForHelpDesk(action, subject)) return false
    if (canAdminister === undefined) return !subject.privileged
    const ask = async () => (await canAdminister(actor.user as U, user as U, action)) === true
    return withTimeout('canAdminister()', ask, timeout)
  }
}

function mailsOf<U>(
  options: SecondStepOptions<U>,
  parts: Pick<MailParts, 'announcer' | 'counters' | 'write' | 'writeTold' | 'findDevices'>,
  {
    failureReporter,
    ...identity
  }: Pick<CheckedOptions, 'describe' | 'glimpse' | 'hostIdOf' | 'timeout'> &
    Pick<Site, 'failureReporter'>,
): Mails | null {
  const { mail, nameAdmins = false } = options
  const describeUser = (user: Express.User) => {
    try {
      return identity.describe(user)
    } catch (error) {
      // A failed mail records only where it failed, and no visitor sees this error.
      failureReporter.report(error)
      throw error
    }
  }
  const accounts = accountsOf(options, { ...identity, describe: describeUser })
  if (accounts === null || mail === undefined) return null
  const { transport: mailer, from } = mail
  return new Mails({ ...parts, accounts, mailer, from, nameAdmins })
}

/** Resets by mail, if the host has `mail` and has not switched them off. */
function lostOf<U>(
  { lost = {} }: SecondStepOptions<U>,
  accounts: Accounts<Express.User> | null,
  parts: Omit<LostParts, 'findUser' | 'delay' | 'limits' | 'mails'> & {
    counters: Counters
    mails: Mails | null
    hostIdOf: CheckedOptions['hostIdOf']
    timeout: number
  },
): { lost: Lost | null; readyMailResets: ReadyMailResets | null } {
  const { counters, mails, hostIdOf, timeout, ...shared } = parts
  if (accounts === null || mails === null || lost === false) {
    return { lost: null, readyMailResets: null }
  }
  const findUser = findMailResetUser(accounts, lost, timeout)
  const both = { ...shared, mails, findUser }
  return {
    lost: new Lost({ ...both, limits: new MailLimits(counters), delay: delayOf(lost) }),
    readyMailResets: new ReadyMailResets({ ...both, hostIdOf }),
  }
}

/**
 * The names of the site, one for each key of the ring, the one to write first. All processes of an app share the
 * ring, whatever their addresses are, and two apps have one each.
 */
function namesOf(keyIds: readonly string[], { paths }: Pick<Site, 'paths'>): readonly string[] {
  return keyIds.map((keyId) => `${keyId}${paths.secondStep}`)
}
