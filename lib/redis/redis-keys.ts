import { createHash } from 'node:crypto'
import type { RecordList } from '../domain/record-list.js'
import { ConfigurationError } from '../errors/configuration-error.js'

/** The default prefix of keys. */
export const DEFAULT_PREFIX = 'second-step'

/** The names under which everything is kept in Redis. */
export interface RedisKeys {
  /** Exists while the records in this Redis can be trusted. Gone after Redis was emptied. */
  readonly marker: string
  readonly policy: string
  /** Sorted sets of the users' hashes by time; `all` by nothing. `on` is made of the others. */
  readonly lists: Readonly<Record<Exclude<RecordList, 'on'>, string>>
  /** Stream of the audit log: what changed a second step. */
  readonly events: string
  /** Stream of the audit log: what needs no second factor. */
  readonly attempts: string
  record(userId: string): string
  /** The record of the user with this hash. */
  recordOfHash(hash: string): string
  /** Of `events`, what is about one user. */
  eventsOf(userId: string): string
  /** Of `attempts`, what is about one user. */
  attemptsOf(userId: string): string
}

/** The hash of a user id, for keys and lists. */
export function redisHash(userId: string): string {
  return createHash('sha256').update(userId).digest('base64url')
}

/**
 * The braces are Redis Cluster's hash tag: all keys share one slot, so that a record and the marker
 * are read by one command. User ids are hashed, whatever characters they have.
 *
 * @throws ConfigurationError for a prefix that would break the hash tag
 */
export function redisKeys(prefix: string): RedisKeys {
  checkPrefix(prefix)
  const recordOfHash = (hash: string) => `{${prefix}}:record:${hash}`
  return {
    marker: `{${prefix}}:marker`,
    policy: `{${prefix}}:policy`,
    lists: {
      all: `{${prefix}}:list:all`,
      enrolled: `{${prefix}}:list:enrolled`,
      locked: `{${prefix}}:list:locked`,
      paused: `{${prefix}}:list:paused`,
      'mail-resets-due': `{${prefix}}:list:mail-resets-due`,
    },
    events: `{${prefix}}:events`,
    attempts: `{${prefix}}:attempts`,
    record: (userId) => recordOfHash(redisHash(userId)),
    recordOfHash,
    eventsOf: (userId) => `{${prefix}}:events:${redisHash(userId)}`,
    attemptsOf: (userId) => `{${prefix}}:attempts:${redisHash(userId)}`,
  }
}

/** @throws ConfigurationError for a prefix that would break the hash tag */
export function checkPrefix(prefix: string): void {
  if (typeof prefix === 'string' && /^[^{}\s]+$/.test(prefix)) return
  throw new ConfigurationError(
    `prefix ${JSON.stringify(prefix)} must be a name without braces and blanks, such as "${DEFAULT_PREFIX}"`,
  )
}
