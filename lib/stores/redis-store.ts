import type { Policy } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import { listPlaceOf } from '../domain/record-list.js'
import { checkNames } from '../errors/check-names.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import type { RecordPage, RecordQuery, RecordStore } from '../ports/record-store.js'
import { redisAuditLog } from './redis-audit-log.js'
import {
  makeRedisMarker,
  requireMarker,
  requireNoEviction,
  requireReadsFromMaster,
} from './redis-checks.js'
import { type RedisClient, redisScript } from './redis-client.js'
import { DEFAULT_PREFIX, redisHash, redisKeys } from './redis-keys.js'
import { listHashes } from './redis-list.js'

export interface RedisStoreOptions {
  /** What the keys begin with, in braces. Default `second-step`. */
  readonly prefix?: string
  /**
   * The host's word that this Redis never evicts keys, for servers that do not tell (CONFIG is
   * disabled by many providers). Default false. A server that tells otherwise is believed.
   */
  readonly persistent?: boolean
}

// cjson only looks at the stored document; what is stored is the very string that came in, because
// encoding it again would turn empty lists into objects.
const COMPARE_AND_SET = `
local stored = redis.call('GET', KEYS[1])
local version = 0
if stored then
  local document = cjson.decode(stored)
  if document.writeId == ARGV[2] then return 1 end
  version = document.version
end
if version ~= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[3])`

const writeDocument = redisScript(`${COMPARE_AND_SET}
return 1
`)

// The lists have the record's slot, so that one script changes both or neither: no list is ever
// behind, and none needs healing.
const writeListed = redisScript(`${COMPARE_AND_SET}
for i = 2, #KEYS do
  if ARGV[3 + i] == '' then redis.call('ZREM', KEYS[i], ARGV[4])
  else redis.call('ZADD', KEYS[i], ARGV[3 + i], ARGV[4]) end
end
return 1
`)

/**
 * Keeps the records in Redis, through the host's ioredis `Redis` or `Cluster`. That Redis is a
 * database then: persistent, `maxmemory-policy noeviction`, not a cache.
 *
 * A marker key beside the records is read with every one of them. Where it is missing Redis was
 * emptied, and every call rejects. In production `npx passport-second-step init` makes it once;
 * elsewhere `open` does.
 *
 * @throws ConfigurationError for another client, an unknown option, a prefix with braces or blanks
 */
export function redisStore(redis: RedisClient, options: RedisStoreOptions = {}): RecordStore {
  checkNames(options, ['prefix', 'persistent'], 'redisStore.')
  if (typeof redis?.mget !== 'function' || typeof redis.evalsha !== 'function') {
    throw new ConfigurationError('redisStore() needs an ioredis client, such as new Redis(url)')
  }
  const { prefix = DEFAULT_PREFIX, persistent = false } = options
  const keys = redisKeys(prefix)

  /** One command, so that no emptying can come between the documents and the marker. */
  async function readAll(names: readonly string[]): Promise<readonly (object | null)[]> {
    const [marker, ...documents] = await redis.mget([keys.marker, ...names])
    if (typeof marker !== 'string') {
      throw new Error(`the key "${keys.marker}" is missing: Redis lost its records`)
    }
    if (documents.length !== names.length) throw new Error('Redis answered nonsense to a read')
    return documents.map((document) => (document === null ? null : parseDocument(document)))
  }

  async function read(key: string): Promise<object | null> {
    const [document = null] = await readAll([key])
    return document
  }

  async function writeRecord(record: SecondStepRecord, expectedVersion: number) {
    const { all, enrolled, locked, paused, 'mail-resets-due': due } = keys.lists
    const { since, lockedUntil, pausedUntil, mailResetDue } = listPlaceOf(record)
    const times = [0, since, lockedUntil, pausedUntil, mailResetDue]
    const places = times.map((time) => String(time ?? ''))
    const args = [...argumentsOf(record, expectedVersion), redisHash(record.userId), ...places]
    const names = [keys.record(record.userId), all, enrolled, locked, paused, due]
    return hasWon(await writeListed(redis, names, args))
  }

  async function list(query: RecordQuery): Promise<RecordPage | null> {
    const page = await listHashes(redis, keys.lists, query)
    if (page === null) return null
    const found = await readAll(page.hashes.map(keys.recordOfHash))
    const records = found.flatMap((document) => document ?? []) as SecondStepRecord[]
    return { records, next: page.next }
  }

  return {
    find: async (userId) => (await read(keys.record(userId))) as SecondStepRecord | null,
    write: writeRecord,
    findPolicy: async () => (await read(keys.policy)) as Policy | null,
    writePolicy: async (policy, expectedVersion) =>
      hasWon(await writeDocument(redis, [keys.policy], argumentsOf(policy, expectedVersion))),
    list,
    audit: redisAuditLog(redis, { prefix }),

    async open({ production }) {
      requireReadsFromMaster(redis)
      if (!production) {
        await makeRedisMarker(redis, { prefix })
        return
      }
      await requireMarker(redis, keys.marker)
      await requireNoEviction(redis, persistent)
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

/** JSON's `null` must not pass for "nothing was ever written". */
function parseDocument(stored: unknown): object {
  const document: unknown = JSON.parse(String(stored))
  if (typeof document === 'object' && document !== null) return document
  throw new Error('what is stored in Redis is no record')
}
