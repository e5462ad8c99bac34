import type { Policy } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import { checkNames } from '../errors/check-names.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import type { RecordStore } from '../ports/record-store.js'
import {
  makeRedisMarker,
  requireMarker,
  requireNoEviction,
  requireReadsFromMaster,
} from './redis-checks.js'
import { type RedisClient, redisScript } from './redis-client.js'
import { DEFAULT_PREFIX, redisKeys } from './redis-keys.js'

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
const writeDocument = redisScript(`
local stored = redis.call('GET', KEYS[1])
local version = 0
if stored then
  local document = cjson.decode(stored)
  if document.writeId == ARGV[2] then return 1 end
  version = document.version
end
if version ~= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[3])
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

  /** One command, so that no emptying can come between the document and the marker. */
  async function read(key: string): Promise<object | null> {
    const [document, marker] = await redis.mget([key, keys.marker])
    if (typeof marker !== 'string') {
      throw new Error(`the key "${keys.marker}" is missing: Redis lost its records`)
    }
    return document === null ? null : parseDocument(document)
  }

  async function write(
    key: string,
    document: { readonly writeId: string },
    expectedVersion: number,
  ): Promise<boolean> {
    const args = [String(expectedVersion), document.writeId, JSON.stringify(document)]
    const answer = String(await writeDocument(redis, [key], args))
    if (answer !== '1' && answer !== '0') throw new Error('Redis answered nonsense to a write')
    return answer === '1'
  }

  return {
    find: async (userId) => (await read(keys.record(userId))) as SecondStepRecord | null,
    write: (record, expectedVersion) => write(keys.record(record.userId), record, expectedVersion),
    findPolicy: async () => (await read(keys.policy)) as Policy | null,
    writePolicy: (policy, expectedVersion) => write(keys.policy, policy, expectedVersion),

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

/** JSON's `null` must not pass for "nothing was ever written". */
function parseDocument(stored: unknown): object {
  const document: unknown = JSON.parse(String(stored))
  if (typeof document === 'object' && document !== null) return document
  throw new Error('what is stored in Redis is no record')
}
