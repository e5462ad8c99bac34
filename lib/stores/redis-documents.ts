import { type RedisClient, redisScript } from '../redis/redis-client.js'
import type { RecordPlace, RedisKeys } from '../redis/redis-keys.js'
import { emptied, LostRecordError, parseDocument } from './redis-lost.js'
import { MARKER_IN_LUA, saysPolicy } from './redis-marker.js'

// MGET answers nil for keys of other types. An entry in any list proves that there was a record.
// KEYS: marker, record, lists, that of all first.
const lookAgain = redisScript(`
${MARKER_IN_LUA}
local marker = redis.call('GET', KEYS[1])
if not marker then return {'emptied', ''} end
local kind = redis.call('TYPE', KEYS[2]).ok
if kind == 'string' then return {'found', redis.call('GET', KEYS[2])} end
if kind ~= 'none' then return {'lost', kind} end
if says(marker, RECORDS) and redis.call('EXISTS', KEYS[3]) == 0 then return {'lost', ''} end
for i = 3, #KEYS do
  if redis.call('ZSCORE', KEYS[i], ARGV[1]) then return {'lost', ''} end
end
return {'none', ''}
`)

/**
 * Reads documents together with the marker of their tag, which says that a missing document was never
 * written.
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
    const place = this.#keys.place(userId)
    const [, text] = await this.#read([place.tag.marker, place.key])
    return this.#recordOf(place, text)
  }

  /**
   * A user's record and the policy, by one command.
   *
   * @throws as `record` does, and where the tag's copy of the policy is lost
   */
  async recordAndPolicy(
    userId: string,
  ): Promise<{ readonly record: object | null; readonly policy: object | null }> {
    const place = this.#keys.place(userId)
    const { marker, policy } = place.tag
    const [words, policyText, text] = await this.#read([marker, policy, place.key])
    return {
      policy: policyOf(policy, words, policyText),
      record: await this.#recordOf(place, text),
    }
  }

  /** One command, so that no emptying can come between the documents and the marker. */
  async #read(
    names: readonly [marker: string, ...documents: string[]],
  ): Promise<readonly [marker: string, ...documents: (string | null)[]]> {
    const found = await this.#redis.mget([...names])
    const [marker, ...documents] = found
    if (typeof marker !== 'string') throw emptied(names[0])
    if (found.length !== names.length) throw new Error('Redis answered nonsense to a read')
    return [marker, ...documents.map((text) => (text === null ? null : String(text)))]
  }

  #recordOf(place: RecordPlace, text: string | null | undefined): Promise<object | null> | object {
    return typeof text === 'string' ? parseDocument(place.key, text) : this.#lookAgain(place)
  }

  /** After MGET found nothing: never written, written just now, or lost? */
  async #lookAgain({ tag, key, hash }: RecordPlace): Promise<object | null> {
    const { marker, lists } = tag
    const names = [marker, key, lists.all, lists.locked, lists.paused, lists['mail-resets-due']]
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

/** @throws Error where a policy was written and is gone */
export function policyOf(
  key: string,
  marker: string,
  text: string | null | undefined,
): object | null {
  if (typeof text === 'string') return parseDocument(key, text)
  if (!saysPolicy(marker)) return null
  throw new Error(`the key "${key}" is lost: Redis has no policy, and one was written`)
}
