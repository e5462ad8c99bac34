import { checkCall } from '../errors/check-call.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import type { AuditLog } from '../ports/audit-log.js'
import { type HostRedis, redisClientOf } from '../redis/host-redis.js'
import type { RedisClient, ScriptClient } from '../redis/redis-client.js'
import { DEFAULT_PREFIX, redisKeys } from '../redis/redis-keys.js'
import { appendAbout, DAYS, LENGTH } from './redis-audit-append.js'
import { attemptsOfDay } from './redis-audit-days.js'
import { auditPage } from './redis-audit-pages.js'
import { moveOldLog } from './redis-upgrade-log.js'

export interface RedisAuditLogOptions {
  /** The prefix of the keys. Default `second-step`. */
  readonly prefix?: string
  /**
   * The approximate number of entries in the list of everybody: this many changes and accepted codes, and
   * apart from them as many attempts (wrong codes, refused changes and everything else that needs no second
   * factor). The list is shared out to 64 parts; in each, whoever has most loses the oldest first. About one
   * user, the log always keeps 1,000 and 100. Default 100,000.
   */
  readonly length?: number
  /** How many days an entry is kept. Default 90. */
  readonly days?: number
}

/** An audit log in Redis. */
export interface RedisAuditLog extends AuditLog {
  /** The prefix of its keys. */
  readonly prefix: string
  /**
   * Moves the entries of version 0.1.0 to the keys of this one. `redisStore` moves those of its own prefix
   * with the records. Safe to run again where it was stopped.
   *
   * @returns how many entries were moved
   */
  upgrade(): Promise<number>
}

/**
 * Keeps the audit log in Redis, bounded by age and length, so that it never fills a server whose records
 * must not be lost. Each user has a list of changes and one of attempts, so that somebody without a second
 * factor cannot push a change out. They are under the hash tag of the user's record: a decision and its
 * entries are one script.
 *
 * @param given the host's client: see `redisStore`
 * @throws ConfigurationError for another client, an unknown option, a prefix with braces or blanks
 */
export function redisAuditLog(given: HostRedis, options: RedisAuditLogOptions = {}): RedisAuditLog {
  checkCall(options, ['prefix', 'length', 'days'], 'redisAuditLog')
  const redis = redisClientOf(given, 'redisAuditLog')
  const { prefix = DEFAULT_PREFIX, length = LENGTH, days = DAYS } = options
  for (const [name, value] of Object.entries({ length, days })) {
    if (Number.isSafeInteger(value) && value > 0) continue
    throw new ConfigurationError(`\`redisAuditLog.${name}\` must be a whole number above 0`)
  }
  return auditLogIn(redis, { prefix, length, days })
}

/**
 * The same, with all that the options leave out.
 *
 * @param writer what appends. Default: the client
 */
export function auditLogIn(
  redis: RedisClient,
  { prefix, length, days }: Required<RedisAuditLogOptions>,
  writer: ScriptClient = redis,
): RedisAuditLog {
  const keys = redisKeys(prefix)
  return {
    prefix,
    async append(entries) {
      const users = new Set(entries.map(({ user }) => user))
      await Promise.all(
        [...users].map((one) => {
          const about = entries.filter(({ user }) => user === one)
          return appendAbout(writer, keys, { length, days }, about)
        }),
      )
    },
    list: (query) => auditPage(redis, keys, query, days),
    attemptsOf: (day) => attemptsOfDay(redis, keys, day),
    upgrade: () => moveOldLog(redis, prefix, { length, days }),
  }
}
