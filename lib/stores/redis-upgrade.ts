import { parseRecord } from '../domain/parse-record.js'
import { decodeRecord, encodeRecord, isEncoded } from '../domain/record-bytes.js'
import { listPlaceOf } from '../domain/record-list.js'
import { hashOfOldHash, type OldRedisKeys, oldRedisKeys } from '../redis/old-redis-keys.js'
import { type RedisClient, redisScript } from '../redis/redis-client.js'
import { type RedisKeys, redisKeys } from '../redis/redis-keys.js'
import { DAYS, LENGTH } from './redis-audit-append.js'
import { MARKER_IN_LUA, makeMarkers } from './redis-marker.js'
import { hasOldRecords, notUpgraded, UPGRADED } from './redis-old-state.js'
import { scanKeys } from './redis-scan.js'
import { countOldLog, moveOldLog } from './redis-upgrade-log.js'
import { placesOf } from './redis-writes.js'

/** Shows how far it is, as the command line's progress does. */
export interface UpgradeProgress {
  begin(total: number | null): void
  step(): void
}

/** The marker's value in version 0.1.0 after a policy was written. */
const OLD_POLICY_WRITTEN = 'policy written'
/** More are moved by the command alone: the start of an app has a time limit. */
const MOVED_AT_START = 200
const AT_ONCE = 100

// What stays in the old marker's place is no string: version 0.1.0 takes it for a missing marker and
// refuses, and its "init" makes no new one beside it. The marker's words are in it, so that the one key
// tells how to go on.
const begin = redisScript(`
if redis.call('TYPE', KEYS[1]).ok == 'string' then
  local words = redis.call('GET', KEYS[1])
  redis.call('DEL', KEYS[1])
  redis.call('RPUSH', KEYS[1], 'the records are under the keys of a later version', words)
end
return redis.call('LINDEX', KEYS[1], 1)
`)

// KEYS: marker, policy.
const end = redisScript(`
redis.call('DEL', KEYS[2])
return redis.call('RPUSH', KEYS[1], '${UPGRADED}')
`)

// KEYS: record, lists. Answers with its type, its text and its places.
const readOld = redisScript(`
local kind = redis.call('TYPE', KEYS[1]).ok
local answer = {kind, kind == 'string' and redis.call('GET', KEYS[1]) or ''}
for i = 2, #KEYS do answer[1 + i] = redis.call('ZSCORE', KEYS[i], ARGV[1]) or '' end
return answer
`)

// KEYS: record, marker, lists. ARGV: hash, text, places. Answers with the text that is there then. A lost
// list of all is not begun anew: it would prove nothing of the records that were in it.
const put = redisScript(`
${MARKER_IN_LUA}
local marker = redis.call('GET', KEYS[2])
if not marker then return redis.error_reply('ERR the marker is missing: Redis lost its records') end
local written = says(marker, RECORDS) or redis.call('EXISTS', KEYS[1]) == 1
if written and redis.call('EXISTS', KEYS[3]) == 0 then
  return redis.error_reply('ERR the list "' .. KEYS[3] .. '" is lost')
end
if ARGV[2] ~= '' then redis.call('SET', KEYS[1], ARGV[2], 'NX') end
for i = 3, #KEYS do
  if ARGV[i] ~= '' then redis.call('ZADD', KEYS[i], ARGV[i], ARGV[1]) end
end
note(KEYS[2], marker, RECORDS)
return redis.call('GET', KEYS[1]) or ''
`)

const putPolicy = redisScript(`
${MARKER_IN_LUA}
local marker = redis.call('GET', KEYS[2])
if not marker then return redis.error_reply('ERR the marker is missing: Redis lost its records') end
if ARGV[1] ~= '' then redis.call('SET', KEYS[1], ARGV[1], 'NX') end
note(KEYS[2], marker, POLICY)
return 1
`)

// KEYS: record, lists. ARGV: hash, the text that was moved.
const removeOld = redisScript(`
if ARGV[2] ~= '' and redis.call('GET', KEYS[1]) == ARGV[2] then redis.call('DEL', KEYS[1]) end
for i = 2, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
return 1
`)

const page = redisScript(`return redis.call('ZRANGE', KEYS[1], 0, ARGV[1])`)
const cardinality = redisScript(`return redis.call('ZCARD', KEYS[1])`)
const get = redisScript(`return redis.call('GET', KEYS[1]) or ''`)

/**
 * Moves what version 0.1.0 has kept under one hash tag to the tags of today. Its processes refuse
 * everything from the first moment on. Each record is read back before its old key is removed, so it
 * can be stopped at any time and run again.
 */
export class RedisUpgrade {
  readonly #redis: RedisClient
  readonly #prefix: string
  readonly #keys: RedisKeys
  readonly #old: OldRedisKeys

  constructor(redis: RedisClient, prefix: string) {
    this.#redis = redis
    this.#prefix = prefix
    this.#keys = redisKeys(prefix)
    this.#old = oldRedisKeys(prefix)
  }

  /**
   * Outside production a small one is done at once.
   *
   * @throws ConfigurationError where records of version 0.1.0 are still to be moved, or their marker is lost
   */
  async requireDone({ production }: { production: boolean }): Promise<void> {
    if (!(await hasOldRecords(this.#redis, this.#prefix))) return
    if (!production && (await this.#isSmall())) {
      await this.run()
      return
    }
    throw notUpgraded()
  }

  /**
   * @returns how many records were moved; null where there are none of version 0.1.0
   * @throws ConfigurationError where its marker is lost, or a key is not of its type
   */
  async run(progress?: UpgradeProgress): Promise<number | null> {
    if (!(await hasOldRecords(this.#redis, this.#prefix))) return null
    const { marker, policy } = this.#old
    const words: unknown = await begin(this.#redis, [marker], [])
    await makeMarkers(this.#redis, this.#keys)
    // Where the words are unknown, a missing policy counts as lost.
    await this.#movePolicy(String(words ?? OLD_POLICY_WRITTEN))
    progress?.begin(await this.#count())
    let moved = 0
    for await (const hashes of this.#oldHashes()) {
      await Promise.all(
        hashes.map(async (hash) => {
          if (!(await this.#move(hash))) return
          moved += 1
          progress?.step()
        }),
      )
    }
    await moveOldLog(this.#redis, this.#prefix, { length: LENGTH, days: DAYS })
    await end(this.#redis, [marker, policy], [])
    return moved
  }

  async #isSmall(): Promise<boolean> {
    if ((await this.#count()) > MOVED_AT_START) return false
    return (await countOldLog(this.#redis, this.#prefix)) <= 5 * MOVED_AT_START
  }

  async #count(): Promise<number> {
    return Number(await cardinality(this.#redis, [this.#old.lists[0]], []))
  }

  /** A policy that was lost stays a failure. */
  async #movePolicy(words: string): Promise<void> {
    const text = String(await get(this.#redis, [this.#old.policy], []))
    if (text === '' && words !== OLD_POLICY_WRITTEN) return
    const { tags } = this.#keys
    await Promise.all(
      tags.map(({ policy, marker }) => putPolicy(this.#redis, [policy, marker], [text])),
    )
  }

  /**
   * The hashes of all records that are there or that a list names. A record that no list names counts
   * too: left behind, it would read as "not enrolled".
   */
  async *#oldHashes(): AsyncGenerator<readonly string[]> {
    const { lists, records } = this.#old
    for await (const hashes of scanKeys(this.#redis, records)) {
      for (let at = 0; at < hashes.length; at += AT_ONCE) yield hashes.slice(at, at + AT_ONCE)
    }
    for (const list of lists) {
      for (;;) {
        const hashes: unknown = await page(this.#redis, [list], [String(AT_ONCE - 1)])
        if (!Array.isArray(hashes) || hashes.length === 0) break
        yield hashes.map(String)
      }
    }
  }

  /** @returns whether there was a record, or what a list knows of a lost one */
  async #move(oldHash: string): Promise<boolean> {
    const names = [this.#old.records + oldHash, ...this.#old.lists]
    const answer: unknown = await readOld(this.#redis, names, [oldHash])
    const [kind, text = '', all = '', since = '', ...others] = Array.isArray(answer)
      ? answer.map(String)
      : []
    const isListed = [all, since, ...others].some((place) => place !== '')
    // What is no record any more is listed as lost: left out, it would read as "not enrolled".
    if (kind === 'none' && !isListed) return false
    const { bytes, places } = readable(text) ?? {
      bytes: Buffer.from(text),
      places: [since === '' ? '0' : since, ...others],
    }
    await this.#put(hashOfOldHash(oldHash), bytes, places)
    await removeOld(this.#redis, names, [oldHash, text])
    return true
  }

  async #put(hash: string, bytes: Buffer, places: readonly string[]): Promise<void> {
    const { tag, key } = this.#keys.placeOfHash(hash)
    const { all, locked, paused, 'mail-resets-due': due } = tag.lists
    const names = [key, tag.marker, all, locked, paused, due]
    await put(this.#redis, names, [hash, bytes, ...places])
    const [stored = null] = await this.#redis.mgetBuffer([key])
    if (bytes.equals(stored ?? Buffer.alloc(0))) return
    throw new Error(
      `the record "${key}" is there already and differs from the one of version 0.1.0: nothing of either was removed`,
    )
  }
}

/**
 * A record as it is written today, with its places in the lists; undefined where it cannot be read. What is
 * written is read once more before it counts.
 */
function readable(text: string): { bytes: Buffer; places: readonly string[] } | undefined {
  try {
    const stored: unknown = JSON.parse(text)
    const userId = String(Reflect.get(Object(stored), 'userId'))
    const record = parseRecord(stored, userId)
    const bytes = encodeRecord(record)
    if (
      isEncoded(bytes) &&
      JSON.stringify(sorted(decodeRecord(bytes))) !== JSON.stringify(sorted(record))
    ) {
      return undefined
    }
    return { bytes, places: placesOf(listPlaceOf(record)).map((time) => String(time ?? '')) }
  } catch {
    return undefined
  }
}

/** With members in one order, whichever they were written in. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return members.map(([name, member]) => [name, sorted(member)])
}
