import type { SecondStepRecord } from '../domain/record.js'
import { checkCall } from '../errors/check-call.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import { countersIn } from '../limits/redis-counters.js'
import type { RecordAndPolicy, RecordStore, WriteWithEntries } from '../ports/record-store.js'
import { DEFAULT_TIMEOUT } from '../ports/with-timeout.js'
import { checkDurability, type Durability } from '../redis/durability.js'
import { durableWrites } from '../redis/durable-writes.js'
import { type HostRedis, redisClientOf } from '../redis/host-redis.js'
import { DEFAULT_PREFIX, redisKeys } from '../redis/redis-keys.js'
import { redisSignals } from '../redis/redis-signals.js'
import { DAYS, LENGTH } from './redis-audit-append.js'
import { auditLogIn } from './redis-audit-log.js'
import {
  makeRedisMarker,
  requireMaster,
  requireNoEviction,
  requirePipelinesByKey,
  requireReadsFromMaster,
  warnOfEndlessQueue,
} from './redis-checks.js'
import { RedisDocuments } from './redis-documents.js'
import { warnOfWeakKeeping } from './redis-keeping.js'
import { countRecords } from './redis-list.js'
import { readMarkers, requireMarkers } from './redis-marker.js'
import { redisPage } from './redis-pages.js'
import { RedisPolicy } from './redis-policy.js'
import { misplacedRecords, type RedisRepair, repairLists, unlistedRecords } from './redis-repair.js'
import { RedisSerials } from './redis-serials.js'
import { RedisUpgrade, type UpgradeProgress } from './redis-upgrade.js'
import { writeRecordAt, writeRecordWithEntries } from './redis-writes.js'

export interface RedisStoreOptions {
  /** The prefix of the keys. Default `second-step`. */
  readonly prefix?: string
  /**
   * The host confirms that this Redis never evicts keys, for servers that do not reveal it (many
   * providers disable CONFIG). If the server reveals otherwise, its answer counts. Default false.
   */
  readonly persistent?: boolean
  /**
   * Waits until replicas have a write, also in the store's own counters and audit log: a failover to one of them then
   * forgets no used code. Default: no waiting
   */
  readonly durability?: Durability
}

/** A record store in Redis. */
export interface RedisStore extends RecordStore {
  /**
   * Moves the records of version 0.1.0 to the keys of this one. Stop the app first; its processes
   * answer 503 meanwhile. Safe to run again where it was stopped.
   *
   * @returns how many records were moved; null where version 0.1.0 has left none
   * @throws Error where the records of 0.1.0 cannot be trusted, or what was moved is not what was there
   */
  upgrade(progress?: UpgradeProgress): Promise<number | null>
  /**
   * Makes a list of all records anew that Redis has lost, from the records that are there, and adds to one that
   * was begun anew what it leaves out. Lists by state are made anew too. While the list is lost nobody
   * under its tag can set up or change a second step. Safe while the app runs, and to run again where it
   * was stopped. A record that was lost with the list is not seen: its user has no second step then.
   *
   * @throws ConfigurationError where a marker is missing: Redis was emptied
   */
  repair(): Promise<RedisRepair>
  /** The keys of records that no list names, as in a lost one: pages leave them out until `repair`. */
  unlisted(): Promise<readonly string[]>
  /**
   * The keys of records that a list by state (paused, locked, resets by mail) leaves out, or has in a wrong place,
   * until `repair`.
   */
  misplaced(): Promise<readonly string[]>
}

/**
 * Keeps the records in Redis, through the host's client: ioredis' `Redis` or `Cluster`, or what `createClient()`,
 * `createCluster()` (both with `disableOfflineQueue: true`) or `createSentinel()` of the package `redis` 5 or 6
 * returns. This Redis must be a database (persistent, `maxmemory-policy noeviction`), not a cache.
 *
 * The users are shared out to 64 hash tags, so that the masters of a cluster hold equal shares. A marker
 * key beside the records of a tag is read with every one of them. Where it is missing Redis was
 * emptied, and every call rejects; the lists beside them tell of a single record that was lost. In
 * production `npx passport-second-step init` makes the markers once; elsewhere `open` does.
 *
 * @throws ConfigurationError for another client, an unknown option, a prefix with braces or blanks
 */
export function redisStore(given: HostRedis, options: RedisStoreOptions = {}): RedisStore {
  checkCall(options, ['prefix', 'persistent', 'durability'], 'redisStore')
  const redis = redisClientOf(given, 'redisStore', 'mgetBuffer')
  const { prefix = DEFAULT_PREFIX, persistent = false, durability } = options
  if (typeof persistent !== 'boolean') {
    throw new ConfigurationError('`redisStore.persistent` must be true or false')
  }
  if (durability !== undefined) checkDurability(durability, redis, 'redisStore')
  warnOfEndlessQueue(redis)
  // The shortest of those who use this store.
  let timeout: number | undefined
  const limit = () => timeout ?? DEFAULT_TIMEOUT
  const writer = durability === undefined ? redis : durableWrites(redis, durability, limit)
  const keys = redisKeys(prefix)
  const documents = new RedisDocuments(redis, keys)
  const policy = new RedisPolicy(redis, keys, undefined, writer)
  const serials = new RedisSerials(redis, keys, writer)
  const upgrade = new RedisUpgrade(redis, prefix)

  const audit = auditLogIn(redis, { prefix, length: LENGTH, days: DAYS }, writer)
  const signals = redisSignals(redis, prefix)
  const write: RecordStore['write'] = (record, expectedVersion) =>
    writeRecordAt(writer, keys.place(record.userId), record, expectedVersion)
  const writeWith: WriteWithEntries = {
    write,
    audit,
    async run(record, expectedVersion, entries) {
      // Those of somebody else would be in another slot.
      const isOwn = entries.every(({ user }) => user === record.userId)
      if (!isOwn) throw new Error('an entry is not about the user of the record')
      if (entries.length === 0) return write(record, expectedVersion)
      return writeRecordWithEntries(writer, keys, { record, expectedVersion, entries })
    },
  }

  return {
    find: async (userId) => (await documents.record(userId)) as SecondStepRecord | null,
    write,
    writeWith,
    findPolicy: () => policy.find(),
    writePolicy: (document, expectedVersion) => policy.write(document, expectedVersion),
    read: (userId, hint) => documents.recordAndPolicy(userId, hint) as Promise<RecordAndPolicy>,
    findMany: async (userIds) =>
      (await documents.records(userIds)) as PromiseSettledResult<SecondStepRecord | null>[],
    findSerial: (serial) => serials.find(serial),
    writeSerial: (claim, expectedVersion) => serials.write(claim, expectedVersion),
    list: (query) => redisPage(redis, keys, query),
    waitsForReplicas: durability !== undefined,
    count: () => countRecords(redis, keys.tags),
    audit,
    counters: countersIn(redis, prefix, writer),
    ...(signals === undefined ? {} : { signals }),
    prefix,

    upgrade: (progress) => upgrade.run(progress),
    repair: () => repairLists(redis, prefix, keys),
    unlisted: () => unlistedRecords(redis, prefix, keys),
    misplaced: () => misplacedRecords(redis, prefix, keys),

    checks: {
      marker: async () => requireMarkers(await readMarkers(redis, keys), keys),
      // In production it moves nothing.
      migration: () => upgrade.requireDone({ production: true }),
    },

    async open({ production, timeout: given = limit() }) {
      timeout = Math.min(timeout ?? given, given)
      requireReadsFromMaster(redis)
      await requireMaster(redis)
      await requirePipelinesByKey(redis, keys)
      await upgrade.requireDone({ production })
      if (production) {
        requireMarkers(await readMarkers(redis, keys), keys)
        await requireNoEviction(redis, persistent)
      } else {
        await makeRedisMarker(redis, { prefix })
      }
      await policy.heal()
      if (durability !== undefined) await warnOfWeakKeeping(redis, durability)
    },
  }
}
