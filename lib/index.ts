import { ConfigurationError } from './errors/configuration-error.js'
import { UnavailableError } from './errors/unavailable-error.js'
import { NotSignedInError } from './web/require-signed-in.js'

export type { Actor, EventDetails, MailFailure, SecondStepEventType } from './domain/event.js'
export type { Policy, PolicyMode } from './domain/policy.js'
export type { SecondStepRecord } from './domain/record.js'
export { type ListPlace, listPlaceOf, type RecordList } from './domain/record-list.js'
export type { Method } from './domain/stamp.js'
export type {
  Described,
  LostDelay,
  LostOptions,
  MailOptions,
  SecondStepOptions,
  TotpOptions,
} from './options/options.js'
export type { AuditEntry, AuditLog, AuditPage, AuditQuery } from './ports/audit-log.js'
export type { Mail, Mailer } from './ports/mailer.js'
export type { RecordPage, RecordQuery, RecordStore } from './ports/record-store.js'
export type { System } from './ports/system.js'
export type { UserPage, UserQuery, Users } from './ports/users.js'
export { createSecondStep, type SecondStep } from './second-step.js'
export type { UserAction } from './service/administration.js'
export type { AnnouncedEvent, SecondStepEvents } from './service/announcer.js'
export type { SecondStepStatus } from './service/status.js'
export { knexAuditLog } from './stores/knex-audit-log.js'
export type { KnexInstance } from './stores/knex-instance.js'
export { migrateSecondStep } from './stores/knex-migrations.js'
export { type KnexStore, knexStore } from './stores/knex-store.js'
export { memoryAuditLog } from './stores/memory-audit-log.js'
export { memoryStore } from './stores/memory-store.js'
export { type RedisAuditLogOptions, redisAuditLog } from './stores/redis-audit-log.js'
export { type RedisStoreOptions, redisStore } from './stores/redis-store.js'
export type { Fact } from './web/facts.js'
export type { GuardOptions } from './web/guard.js'
export type { LimitPasswordOptions } from './web/limit-password.js'
export type { MailAction, MailFrame } from './web/mails.js'
export type { PageData, PageFrame, PageName, Render } from './web/pages.js'
export type { RequireFreshOptions } from './web/require-fresh.js'
export type { SecondStepSession } from './web/session.js'
export type { PendingInfo } from './web/site.js'
export type { SecondStepFailure } from './web/strategy.js'
export type { SecondStepOfRequest } from './web/visitor.js'

/** The errors that the package throws. */
export const errors = { ConfigurationError, UnavailableError, NotSignedInError }
