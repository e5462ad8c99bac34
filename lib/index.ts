import { ConfigurationError } from './errors/configuration-error.js'
import { UnavailableError } from './errors/unavailable-error.js'
import { NotSignedInError } from './web/login/require-signed-in.js'

export type { AdminAction, UserAction } from './domain/admin-actions.js'
export type { Attempts } from './domain/attempts.js'
export type { CodeSource } from './domain/authenticators.js'
export type {
  Actor,
  EventDetails,
  MailFailure,
  MailResetRefusal,
  NamedAuthenticator,
  NamedBrowser,
  SecondStepEventType,
} from './domain/event.js'
export type { Group, UserFilter } from './domain/groups.js'
export type { MailReset } from './domain/mail-reset.js'
export type { MissDates } from './domain/miss-dates.js'
export type { Pauses } from './domain/pause.js'
export type { EndedLogin, PendingLogin } from './domain/pending-login.js'
export type { Policy, PolicyMode, RequiredSince, Subject } from './domain/policy.js'
export type { Concern } from './domain/policy-concern.js'
export type { SecondStepRecord } from './domain/record.js'
export { type ListPlace, listPlaceOf, type RecordList } from './domain/record-list.js'
export type { MustSetUp } from './domain/reset.js'
export type { KeyClaim, SerialClaim, TokenClaim } from './domain/serial-claim.js'
export type { SetupInProgress } from './domain/setup.js'
export type { SetupGrant } from './domain/setup-grant.js'
export type { Replaced } from './domain/setup-place.js'
export type { EndedStamp, Method, Stamp } from './domain/stamp.js'
export type { State } from './domain/state.js'
export type { TrustedBrowser } from './domain/trusted-browsers.js'
export type { UsedChallenge } from './domain/used-challenges.js'
export type { BackupCode, BackupCodeSet } from './factors/backup-codes/kept.js'
export type { AskedChallenge, UserVerification } from './factors/ceremony.js'
export type { Bound } from './factors/factor.js'
export type {
  Authenticator,
  CodeAuthenticator,
  FactorMethod,
  KeyAuthenticator,
  UnprovenAuthenticator,
  UnprovenCodes,
} from './factors/factors.js'
export type { HotpAuthenticator, HotpParameters, UnprovenHotp } from './factors/hotp/kept.js'
export type { KeyStatus } from './factors/key-status.js'
export type { OneTimeCode } from './factors/one-time-codes/kept.js'
export type { OtpAlgorithm, OtpParameters } from './factors/otp/parameters.js'
export type { TotpAuthenticator, UnprovenTotp } from './factors/totp/kept.js'
export type {
  KeyTransport,
  UnprovenWebauthn,
  WebauthnAuthenticator,
} from './factors/webauthn/kept.js'
export { knexCounters } from './limits/knex-counters.js'
export { type RedisCountersOptions, redisCounters } from './limits/redis-counters.js'
export type {
  Described,
  LostDelay,
  LostOptions,
  MailOptions,
  RevocationOptions,
  SecondStepOptions,
  TotpOptions,
  TrustedBrowsersOptions,
  UpstreamBelief,
  UpstreamClaims,
  UpstreamOptions,
  WebauthnOptions,
} from './options/options.js'
export type { AuditEntry, AuditLog, AuditPage, AuditQuery, DayAttempts } from './ports/audit-log.js'
export type { Counter, Counters, Place, Taking, WantedPlace } from './ports/counters.js'
export type { Mail, Mailer } from './ports/mailer.js'
export type {
  RecordAndPolicy,
  RecordPage,
  RecordQuery,
  RecordStore,
  StoreChecks,
  WriteWithEntries,
} from './ports/record-store.js'
export type { SignalListener, Signals } from './ports/signals.js'
export type { System } from './ports/system.js'
export type { Observer, Telemetry } from './ports/telemetry.js'
export type { UserPage, UserQuery, Users } from './ports/users.js'
export type { Durability } from './redis/durability.js'
export type { HostRedis, NodeRedis } from './redis/host-redis.js'
export type {
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisMaster,
  NodeRedisSentinel,
} from './redis/node-redis.js'
export type {
  RedisArgument,
  RedisClient,
  RedisPipeline,
  RedisSubscriber,
} from './redis/redis-client.js'
export { createSecondStep, type SecondStep } from './second-step.js'
export type {
  Announced,
  AnnouncedEvent,
  Listeners,
  SecondStepEvents,
} from './service/announcer.js'
export type { Health, PartHealth } from './service/health.js'
export type { MailName } from './service/mails.js'
export type { PolicyCount } from './service/policy-count.js'
export type { CodesDone, KeptCodes } from './service/shown-codes.js'
export type { SecondStepStatus } from './service/status.js'
export { knexAuditLog } from './stores/knex-audit-log.js'
export type { KnexInstance, KnexOptions } from './stores/knex-instance.js'
export { migrateSecondStep } from './stores/knex-migrations.js'
export { type KnexStore, knexStore } from './stores/knex-store.js'
export { memoryAuditLog } from './stores/memory-audit-log.js'
export { memoryStore } from './stores/memory-store.js'
export {
  type RedisAuditLog,
  type RedisAuditLogOptions,
  redisAuditLog,
} from './stores/redis-audit-log.js'
export type { RedisRepair } from './stores/redis-repair.js'
export { type RedisStore, type RedisStoreOptions, redisStore } from './stores/redis-store.js'
export type { UpgradeProgress } from './stores/redis-upgrade.js'
export type { AdminAuthenticator } from './text/admin-authenticator.js'
export type { Bar } from './text/bars.js'
export type { Effect } from './text/effects.js'
export type { Fact } from './text/facts.js'
export type { MailAction, MailFrame } from './text/mail-frame.js'
export type { Translate } from './text/messages.js'
export type { OverviewPage, Picture } from './text/overview-page.js'
export type {
  AdminForm,
  CodesKind,
  NamedUser,
  Notice,
  OfferedProofs,
  PageData,
  PageEvent,
  PageFrame,
  PageName,
  PageProblem,
  Render,
  SettingsAction,
  ShownBrowser,
} from './text/pages.js'
export type { PolicyLine, PolicyValue } from './text/policy-lines.js'
export type { Lead, Problem, ProblemCode, ProblemText } from './text/problem.js'
export type { ShownAuthenticator } from './text/shown-authenticator.js'
export type { ShownDay, ShownOverview } from './text/shown-overview.js'
export type { DeviceKind, ListedUser, ShownPolicy, ShownUser } from './text/shown-user.js'
export type { TimeShape } from './text/time-shown.js'
export type { UserCounts } from './text/user-counts.js'
export type { AdminRouterOptions } from './web/admin/router.js'
export type { RequireFreshOptions } from './web/login/fresh-rule.js'
export type { GuardOptions } from './web/login/guard.js'
export type { LimitPasswordOptions } from './web/login/limit-password.js'
export type { PasswordChangedOptions } from './web/login/password-changed.js'
export type { SecondStepFailure } from './web/login/strategy.js'
export type { PassportInstance } from './web/request/passport.js'
export type {
  AdminNotice,
  BulkNotice,
  ChallengePurpose,
  LostAsk,
  OpenedLink,
  SecondStepSession,
  SessionChallenge,
} from './web/request/session.js'
export type { BannerValues, Paths, PendingInfo } from './web/request/site.js'
export type { SecondStepOfRequest } from './web/request/visitor.js'
export type { WrittenStamp } from './web/request/written-stamp.js'

/** The errors that the package throws. */
export const errors = { ConfigurationError, UnavailableError, NotSignedInError }
