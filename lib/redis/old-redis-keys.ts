import { checkPrefix, HASH_LENGTH } from './redis-keys.js'

/** The names of version 0.1.0, all under one hash tag. */
export interface OldRedisKeys {
  readonly marker: string
  readonly policy: string
  readonly lists: readonly [
    all: string,
    enrolled: string,
    locked: string,
    paused: string,
    due: string,
  ]
  /** A record's key without the hash at its end. */
  readonly records: string
  /**
   * Streams of the audit log: changes and attempts of everybody. With a colon and a hash behind them, those
   * of one user.
   */
  readonly events: string
  readonly attempts: string
}

/** @throws ConfigurationError for a prefix that would break the hash tag */
export function oldRedisKeys(prefix: string): OldRedisKeys {
  checkPrefix(prefix)
  const list = (name: string) => `{${prefix}}:list:${name}`
  return {
    marker: `{${prefix}}:marker`,
    policy: `{${prefix}}:policy`,
    lists: [list('all'), list('enrolled'), list('locked'), list('paused'), list('mail-resets-due')],
    records: `{${prefix}}:record:`,
    events: `{${prefix}}:events`,
    attempts: `{${prefix}}:attempts`,
  }
}

/** The hash of a user id, of the whole of which today's keys have the first 96 bits. */
export function hashOfOldHash(hash: string): string {
  return hash.slice(0, HASH_LENGTH)
}
