import type { Policy } from '../domain/policy.js'
import { system } from '../ports/system.js'
import { type RedisClient, redisScript, type ScriptClient } from '../redis/redis-client.js'
import type { RedisKeys, TagKeys } from '../redis/redis-keys.js'
import { policyOf } from './redis-documents.js'
import { emptied, parseDocument } from './redis-lost.js'
import { MARKER_IN_LUA, readMarkers, requireMarkers } from './redis-marker.js'
import { argumentsOf, COMPARE_AND_SET, HEAD_OF_JSON, hasWon } from './redis-writes.js'

// KEYS go on with the note that the copies are being written.
const decide = redisScript(`
${MARKER_IN_LUA}
${HEAD_OF_JSON}
local head = headOfJson
local function lost(marker) return says(marker, POLICY) end
${COMPARE_AND_SET}
note(KEYS[2], marker, POLICY)
redis.call('SET', KEYS[3], ARGV[2])
return 1
`)

// A copy is never put back to an older policy: of two changes, the copies of the first may be late.
// KEYS: policy, marker. ARGV: its version, the policy.
const copy = redisScript(`
${MARKER_IN_LUA}
local marker = redis.call('GET', KEYS[2])
if not marker then return redis.error_reply('ERR the marker is missing: Redis lost its records') end
local stored = redis.call('GET', KEYS[1])
local read, document = pcall(cjson.decode, stored or '')
local version = read and type(document) == 'table' and tonumber(document.version) or 0
if version <= tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[2]) end
note(KEYS[2], marker, POLICY)
return 1
`)

// Another change of the policy may have begun meanwhile; then its copies are still being written.
const copied = redisScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`)

/** How often a reader of the policy compares the copies: a failover can lose what was answered. */
const COMPARED_EVERY = 60_000

/** A policy as it was read, and its text. */
interface Stored {
  readonly policy: Policy
  readonly text: string
}

/**
 * Keeps the policy: a change is decided under the first tag, and every tag has a copy, so that a
 * request reads it with its user's record. A change is answered when every copy has it. Where one
 * could not be written, a note under the first tag makes the next reader of the policy, or the next
 * start, write it. A failover can put a part of them back to an older policy: before each change, and
 * once a minute where the policy is read, the newest is written over the others.
 */
export class RedisPolicy {
  readonly #redis: RedisClient
  readonly #keys: RedisKeys

  readonly #now: () => number
  readonly #writer: ScriptClient
  #comparedAt = Number.NEGATIVE_INFINITY

  /** @param writer runs what changes something. What heals copies does not wait for it */
  constructor(redis: RedisClient, keys: RedisKeys, now = system.now, writer: ScriptClient = redis) {
    this.#redis = redis
    this.#keys = keys
    this.#now = now
    this.#writer = writer
  }

  /** @throws Error where the answer cannot be known, or not every copy has it */
  async find(): Promise<Policy | null> {
    if (Math.abs(this.#now() - this.#comparedAt) >= COMPARED_EVERY) {
      this.#comparedAt = this.#now()
      // Without an answer of every tag the policy can be read all the same.
      await this.#compare().catch(() => undefined)
    }
    const { marker, policy } = this.#keys.first
    const [words, text, copying] = await this.#redis.mget([marker, policy, this.#keys.copying])
    if (typeof words !== 'string') throw emptied(marker)
    const found = policyOf(policy, words, text) as Policy | null
    if (found !== null && typeof copying === 'string') {
      await this.#copy({ policy: found, text: String(text) }, this.#keys.tags.slice(1))
    }
    return found
  }

  /** As the port's `writePolicy`. */
  async write(policy: Policy, expectedVersion: number): Promise<boolean> {
    // A first tag that forgot a change would have the next one decided without it.
    await this.#compare()
    const { first, copying, tags } = this.#keys
    const args = argumentsOf(policy, expectedVersion)
    const names = [first.policy, first.marker, copying]
    if (!hasWon(await decide(this.#writer, names, args))) return false
    await this.#copy({ policy, text: JSON.stringify(policy) }, tags.slice(1), this.#writer)
    return true
  }

  /**
   * Reads every marker and every copy, and writes the newest policy over the others.
   *
   * @throws ConfigurationError where a marker is missing
   */
  async heal(): Promise<void> {
    requireMarkers(await readMarkers(this.#redis, this.#keys), this.#keys)
    await this.#compare()
    this.#comparedAt = this.#now()
  }

  /** Writes the newest policy over the others. */
  async #compare(): Promise<void> {
    const { tags } = this.#keys
    const answers = await Promise.all(tags.map(({ policy }) => this.#redis.mget([policy])))
    const copies = answers.map(([text], number) => storedAt(tags[number], text))
    const newest = copies.reduce(newer, null)
    if (newest === null) return
    const stale = tags.filter((_, number) => copies[number]?.text !== newest.text)
    if (stale.length > 0) await this.#copy(newest, stale)
  }

  async #copy(
    { policy, text }: Stored,
    tags: readonly TagKeys[],
    writer: ScriptClient = this.#redis,
  ): Promise<void> {
    const args = [String(policy.version), text]
    const copies = tags.map(({ policy, marker }) => copy(writer, [policy, marker], args))
    // None is left alone with its rejection, whichever fails first.
    await Promise.allSettled(copies)
    await Promise.all(copies)
    await copied(this.#redis, [this.#keys.copying], [policy.writeId])
  }
}

function storedAt(tag: TagKeys | undefined, text: unknown): Stored | null {
  if (tag === undefined || typeof text !== 'string') return null
  try {
    return { policy: parseDocument(tag.policy, text) as Policy, text }
  } catch {
    return null
  }
}

function newer(one: Stored | null, other: Stored | null): Stored | null {
  if (one === null || other === null) return one ?? other
  return other.policy.version > one.policy.version ? other : one
}
