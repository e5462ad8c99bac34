import { BrokenRecordError } from '../domain/parse-record.js'
import { type RedisClient, redisScript } from '../redis/redis-client.js'
import { type RedisKeys, redisHash } from '../redis/redis-keys.js'

/**
 * The marker's value after a policy was written. Before, it has any other value. Without it, a lost
 * policy would look like the default, which requires a second step of nobody.
 */
const POLICY_WRITTEN = 'policy written'

// MGET answers nil for keys of other types. An entry in any list proves that there was a record.
const lookAgain = redisScript(`
if not redis.call('GET', KEYS[1]) then return {'emptied', ''} end
local kind = redis.call('TYPE', KEYS[2]).ok
if kind == 'string' then return {'found', redis.call('GET', KEYS[2])} end
if kind ~= 'none' then return {'lost', kind} end
for i = 3, #KEYS do
  if redis.call('ZSCORE', KEYS[i], ARGV[1]) then return {'lost', ''} end
end
return {'none', ''}
`)

const keepProofOfPolicy = redisScript(`
if redis.call('EXISTS', KEYS[2]) == 1 and redis.call('GET', KEYS[1]) then
  redis.call('SET', KEYS[1], '${POLICY_WRITTEN}')
end
return 1
`)

/** The documents of a page: those that are there, and the keys of those that are lost. */
export interface FoundDocuments {
  readonly documents: readonly object[]
  readonly lost: readonly string[]
}

/**
 * Reads documents together with the marker, which says that a missing document was never written.
 */
export class RedisDocuments {
  readonly #redis: RedisClient
  readonly #keys: RedisKeys

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis
    this.#keys = keys
  }

  /** @throws BrokenRecordError for a record that was lost; Error where the answer cannot be known */
  async record(userId: string): Promise<object | null> {
    const key = this.#keys.record(userId)
    const [text = null] = (await this.#read([key])).texts
    return text === null ? this.#lookAgain(redisHash(userId)) : parseDocument(key, text)
  }

  /**
   * A user's record and the policy, by one command.
   *
   * @throws as `record` and `policy` do
   */
  async recordAndPolicy(
    userId: string,
  ): Promise<{ readonly record: object | null; readonly policy: object | null }> {
    const key = this.#keys.record(userId)
    const { marker, texts } = await this.#read([this.#keys.policy, key])
    const [policy = null, text = null] = texts
    return {
      policy: this.#policyOf(marker, policy),
      record: text === null ? await this.#lookAgain(redisHash(userId)) : parseDocument(key, text),
    }
  }

  /** Records by the hashes in a list. A lost record does not stop the others. */
  async listed(hashes: readonly string[]): Promise<FoundDocuments> {
    const names = hashes.map(this.#keys.recordOfHash)
    const { texts } = await this.#read(names)
    const lost: string[] = []
    const documents: object[] = []
    for (const [index, hash] of hashes.entries()) {
      const document = await this.#listed(hash, texts[index] ?? null).catch(lostOf)
      if (document instanceof LostRecordError) lost.push(document.key)
      else if (document !== null) documents.push(document)
    }
    return { documents, lost }
  }

  async #listed(hash: string, text: string | null): Promise<object | null> {
    if (text === null) return this.#lookAgain(hash)
    return parseDocument(this.#keys.recordOfHash(hash), text)
  }

  async policy(): Promise<object | null> {
    const { marker, texts } = await this.#read([this.#keys.policy])
    const [text = null] = texts
    return this.#policyOf(marker, text)
  }

  #policyOf(marker: string, text: string | null): object | null {
    const { policy } = this.#keys
    if (text !== null) return parseDocument(policy, text)
    if (marker !== POLICY_WRITTEN) return null
    throw new Error(`the key "${policy}" is lost: Redis has no policy, and one was written`)
  }

  /** The policy was written before the marker could record it. */
  async keepProofOfPolicy(): Promise<void> {
    const { marker, policy } = this.#keys
    await keepProofOfPolicy(this.#redis, [marker, policy], [])
  }

  /** One command, so that no emptying can come between the documents and the marker. */
  async #read(names: readonly string[]) {
    const [marker, ...stored] = await this.#redis.mget([this.#keys.marker, ...names])
    if (typeof marker !== 'string') throw emptied(this.#keys.marker)
    if (stored.length !== names.length) throw new Error('Redis answered nonsense to a read')
    return { marker, texts: stored.map((text) => (text === null ? null : String(text))) }
  }

  /** After MGET found nothing: never written, written just now, or lost? */
  async #lookAgain(hash: string): Promise<object | null> {
    const { marker, recordOfHash, lists } = this.#keys
    const key = recordOfHash(hash)
    const names = [marker, key, ...Object.values(lists)]
    const answer: unknown = await lookAgain(this.#redis, names, [hash])
    const [kind, text = ''] = Array.isArray(answer) ? answer.map(String) : []
    if (kind === 'none') return null
    if (kind === 'found') return parseDocument(key, text)
    if (kind === 'lost')
      throw new LostRecordError(key, text === '' ? 'there is none' : `it is a ${text}`)
    if (kind === 'emptied') throw emptied(marker)
    throw new Error('Redis answered nonsense to a read')
  }
}

/** The document existed and is gone. */
class LostRecordError extends BrokenRecordError {
  readonly key: string

  /** @param instead what is there, without a word of its content */
  constructor(key: string, instead: string) {
    super(`the record "${key}" is lost: ${instead}`)
    this.key = key
  }
}

function lostOf(error: unknown): LostRecordError {
  if (error instanceof LostRecordError) return error
  throw error
}

function emptied(marker: string): Error {
  return new Error(`the key "${marker}" is missing: Redis lost its records`)
}

/**
 * JSON's `null` must not count as "never written". The parser's message is left out, because it
 * quotes the text.
 *
 * @throws LostRecordError where the text is no object's
 */
function parseDocument(key: string, text: string): object {
  const document = parsed(text)
  if (typeof document === 'object' && document !== null) return document
  throw new LostRecordError(key, 'what is there is no document')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

// cjson only looks at the stored document; what is stored is the very string that came in, because
// encoding it again would turn empty lists into objects. ARGV: expected version, write id, document.
const COMPARE_AND_SET = `
local marker = redis.call('GET', KEYS[2])
if not marker then return redis.error_reply('ERR the marker is missing: Redis lost its records') end
local stored = redis.call('GET', KEYS[1])
if not stored and lost(marker) then return redis.error_reply('ERR the document is lost') end
local version = 0
if stored then
  local document = cjson.decode(stored)
  if document.writeId == ARGV[2] then return 1 end
  version = document.version
end
if version ~= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[3])`

/** KEYS: policy, marker. */
export const writePolicy = redisScript(`
local function lost(marker) return marker == '${POLICY_WRITTEN}' end
${COMPARE_AND_SET}
redis.call('SET', KEYS[2], '${POLICY_WRITTEN}')
return 1
`)

/**
 * KEYS: record, marker, lists. ARGV goes on with the hash, then a place in each list. The lists have
 * the record's slot, so that one script changes both or neither: no list is ever behind, and none
 * needs healing. A script that fails half way undoes nothing, so every list is looked at first.
 */
export const writeRecord = redisScript(`
local listed = false
for i = 3, #KEYS do listed = redis.call('ZSCORE', KEYS[i], ARGV[4]) or listed end
local function lost() return listed end
${COMPARE_AND_SET}
for i = 3, #KEYS do
  if ARGV[2 + i] == '' then redis.call('ZREM', KEYS[i], ARGV[4])
  else redis.call('ZADD', KEYS[i], ARGV[2 + i], ARGV[4]) end
end
return 1
`)
