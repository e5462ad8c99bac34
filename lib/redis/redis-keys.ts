import { hash } from 'node:crypto'
import { ConfigurationError } from '../errors/configuration-error.js'
import { evenHashTags, slotOf } from './hash-slot.js'

/** The default prefix of keys. */
export const DEFAULT_PREFIX = 'second-step'

/**
 * How many hash tags the users are shared out to. A tag is the least that a cluster can move to
 * another master: 64 spread a million users within a few percent over up to a dozen masters. Each
 * tag has a copy of the policy to be written, and pages of rare lists ask every tag, so more of them
 * would cost more than they spread.
 */
export const TAGS = 64

/** Sorted sets of the users' hashes. */
export interface ListKeys {
  /** All, by the time since when they are enrolled; 0 for who is not. */
  readonly all: string
  /** By the end of the lock. */
  readonly locked: string
  /** By the end of the pause. */
  readonly paused: string
  /** By the time from which their reset by mail can be used. */
  readonly 'mail-resets-due': string
}

/** The names of what is kept under one hash tag: in one slot, for one script or command. */
export interface TagKeys {
  /** The hash slot of a cluster. */
  readonly slot: number
  /** Exists while the records of this tag can be trusted. Gone after its server was emptied. */
  readonly marker: string
  /** The policy, or its copy. */
  readonly policy: string
  readonly lists: ListKeys
  /** A record's key without the hash at its end. */
  readonly records: string
  /** The key of a serial number's claim without the hash at its end. */
  readonly serials: string
  /** List of the audit log: whose changes were when, of everybody under this tag. */
  readonly allEvents: string
  /** The same of what needs no second factor. */
  readonly allAttempts: string
  /** Hash: how many attempts each of the last days had, of everybody under this tag. */
  readonly days: string
  /** The key of one user's changes without the hash at its end. */
  readonly events: string
  /** The same of what needs no second factor. */
  readonly attempts: string
}

/** Where a user's record is. */
export interface RecordPlace {
  readonly tag: TagKeys
  readonly hash: string
  /** The record's key. */
  readonly key: string
}

/** The names under which everything is kept in Redis. */
export interface RedisKeys {
  /** By the number of the tag: the first six bits of a user's hash. */
  readonly tags: readonly TagKeys[]
  /** The tag where changes of the policy are decided; the others have copies. */
  readonly first: TagKeys
  /** Exists while not every tag is known to have the policy of the first. */
  readonly copying: string
  place(userId: string): RecordPlace
  placeOfHash(hash: string): RecordPlace
}

// The first of 16 characters stands for six bits, so it names the tag.
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The users whose place is remembered; a name that is longer is not. */
const KNOWN_AT_MOST = 1000
const LONGEST_KNOWN = 100

/** The characters of a hash: 96 bits in base64url. */
export const HASH_LENGTH = 16

/** The hash of a user id, for keys and lists. The record has the id itself, which is compared. */
function redisHash(userId: string): string {
  // Each request asks for one, and `createHash()` takes four times as long.
  return hash('sha256', userId, 'base64url').slice(0, HASH_LENGTH)
}

/** The number of the tag that a hash belongs to. */
export function tagNumberOf(hash: string): number {
  return BASE64URL.indexOf(hash.charAt(0))
}

/** The first character of the hashes of a tag. */
export function letterOfTag(number: number): string {
  return BASE64URL.charAt(number)
}

/**
 * The braces are Redis Cluster's hash tag: keys with the same one share a slot, so that a record, the
 * policy and the marker are read by one command, and written with their lists by one script. User
 * ids are hashed, whatever characters they have. A key begins with the prefix, which has no braces, and
 * one of version 0.1.0 with a brace: the keys of two apps never meet, whatever their prefixes.
 *
 * @throws ConfigurationError for a prefix that would break the hash tag
 */
export function redisKeys(prefix: string): RedisKeys {
  checkPrefix(prefix)
  const tags = evenHashTags(TAGS).map((tag) => tagKeys(`${prefix}:{${tag}}`, slotOf(tag)))
  const [first = tagKeys(`${prefix}:{}`, 0)] = tags
  const placeOfHash = (hash: string): RecordPlace => {
    const tag = tags[tagNumberOf(hash)] ?? first
    return { tag, hash, key: tag.records + hash }
  }
  // One request asks several times where a record is.
  const known = new Map<string, RecordPlace>()
  const place = (userId: string): RecordPlace => {
    const there = known.get(userId)
    if (there !== undefined) return there
    if (known.size >= KNOWN_AT_MOST) known.clear()
    const found = placeOfHash(redisHash(userId))
    if (userId.length <= LONGEST_KNOWN) known.set(userId, found)
    return found
  }
  return {
    tags,
    first,
    copying: `${first.policy}:copying`,
    place,
    placeOfHash,
  }
}

function tagKeys(start: string, slot: number): TagKeys {
  return {
    slot,
    marker: `${start}:marker`,
    policy: `${start}:policy`,
    lists: {
      all: `${start}:list:all`,
      locked: `${start}:list:locked`,
      paused: `${start}:list:paused`,
      'mail-resets-due': `${start}:list:mail-resets-due`,
    },
    records: `${start}:r:`,
    serials: `${start}:serial:`,
    allEvents: `${start}:events`,
    allAttempts: `${start}:attempts`,
    days: `${start}:days`,
    events: `${start}:events:`,
    attempts: `${start}:attempts:`,
  }
}

/** @throws ConfigurationError for a prefix that would break the hash tag */
export function checkPrefix(prefix: string): void {
  if (typeof prefix === 'string' && /^[^{}\s]+$/.test(prefix)) return
  throw new ConfigurationError(
    `prefix ${JSON.stringify(prefix)} must be a name without braces and blanks, such as "${DEFAULT_PREFIX}"`,
  )
}
