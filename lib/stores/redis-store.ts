import type { Policy } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import { listPlaceOf } from '../domain/record-list.js'
import { checkCall } from '../errors/check-call.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import { redisCounters } from '../limits/redis-counters.js'
import type {
  RecordAndPolicy,
  RecordPage,
  RecordQuery,
  RecordStore,
} from '../ports/record-store.js'
import type { RedisClient } from '../redis/redis-client.js'
import { DEFAULT_PREFIX, redisHash, redisKeys } from '../redis/redis-keys.js'
import { redisAuditLog } from './redis-audit-log.js'
import {
  makeRedisMarker,
  requireMarker,
  requireNoEviction,
  requireReadsFromMaster,
} from './redis-checks.js'
import { RedisDocuments, writePolicy, writeRecord } from './redis-documents.js'
import { countHashes, listHashes } from './redis-list.js'

export interface RedisStoreOptions {
  /** The prefix of the keys, in braces. Default `second-step`. */
  readonly prefix?: string
  /**
   * The host confirms that this Redis never evicts keys, for servers that do not reveal it (many
   * providers disable CONFIG). If the server reveals otherwise, its answer counts. Default false.
   */
  readonly persistent?: boolean
}

/**
 * Keeps the records in Redis, through the host's ioredis `Redis` or `Cluster`. This Redis must be a
 * database (persistent, `maxmemory-policy noeviction`), not a cache.
 *
 * A marker key beside the records is read with every one of them. Where it is missing Redis was
 * emptied, and every call rejects; the lists beside them tell of a single record that was lost. In
 * production `npx passport-second-step init` makes it once;
 * elsewhere `open` does.
 *
 * @throws ConfigurationError for another client, an unknown option, a prefix with braces or blanks
 */
export function redisStore(redis: RedisClient, options: RedisStoreOptions = {}): RecordStore {
  checkCall(options, ['prefix', 'persistent'], 'redisStore')
  if (typeof redis?.mget !== 'function' || typeof redis.evalsha !== 'function') {
    throw new ConfigurationError('redisStore() needs an ioredis client, such as new Redis(url)')
  }
  const { prefix = DEFAULT_PREFIX, persistent = false } = options
  if (typeof persistent !== 'boolean') {
    throw new ConfigurationError('`redisStore.persistent` must be true or false')
  }
  const keys = redisKeys(prefix)
  const documents = new RedisDocuments(redis, keys)

  async function write(record: SecondStepRecord, expectedVersion: number) {
    const { all, enrolled, locked, paused, 'mail-resets-due': due } = keys.lists
    const { since, lockedUntil, pausedUntil, mailResetDue } = listPlaceOf(record)
    const times = [0, since, lockedUntil, pausedUntil, mailResetDue]
    const places = times.map((time) => String(time ?? ''))
    const args = [...argumentsOf(record, expectedVersion), redisHash(record.userId), ...places]
    const names = [keys.record(record.userId), keys.marker, all, enrolled, locked, paused, due]
    return hasWon(await writeRecord(redis, names, args))
  }

  async function list(query: RecordQuery): Promise<RecordPage | null> {
    const page = await listHashes(redis, keys.lists, query)
    if (page === null) return null
    const { documents: found, lost } = await documents.listed(page.hashes)
    const records = found as SecondStepRecord[]
    return { records, next: page.next, ...(lost.length === 0 ? {} : { lost }) }
  }

  return {
    find: async (userId) => (await documents.record(userId)) as SecondStepRecord | null,
    write,
    findPolicy: async () => (await documents.policy()) as Policy | null,
    async writePolicy(policy, expectedVersion) {
      const args = argumentsOf(policy, expectedVersion)
      return hasWon(await writePolicy(redis, [keys.policy, keys.marker], args))
    },
    read: async (userId) => (await documents.recordAndPolicy(userId)) as RecordAndPolicy,
    list,
    count: () => countHashes(redis, keys.lists),
    audit: redisAuditLog(redis, { prefix }),
    counters: redisCounters(redis, { prefix }),
    prefix,

    async open({ production }) {
      requireReadsFromMaster(redis)
      if (!production) {
        await makeRedisMarker(redis, { prefix })
      } else {
        await requireMarker(redis, keys.marker)
        await requireNoEviction(redis, persistent)
      }
      await documents.keepProofOfPolicy()
    },
  }
}

function argumentsOf(document: { readonly writeId: string }, expectedVersion: number) {
  return [String(expectedVersion), document.writeId, JSON.stringify(document)]
}

function hasWon(answer: unknown): boolean {
  if (String(answer) === '1') return true
  if (String(answer) === '0') return false
  throw new Error('Redis answered nonsense to a write')
}
