import { type RedisClient, redisBytesScript } from '../redis/redis-client.js'
import type { RecordPlace, RedisKeys } from '../redis/redis-keys.js'
import { sentTogether } from '../redis/sent-together.js'
import { KnownPolicy } from './redis-known-policy.js'
import { KnownRecords } from './redis-known-records.js'
import { emptied, LostRecordError, parseDocument, recordOfBytes } from './redis-lost.js'
import { MARKER_IN_LUA, saysPolicy } from './redis-marker.js'

// MGET answers nil for keys of other types. An entry in any list proves that there was a record.
// Six KEYS: marker, record, lists, that of all first.
const LOOK_IN_LUA = `
${MARKER_IN_LUA}
local function look(first, hash)
  local marker = redis.call('GET', KEYS[first])
  if not marker then return 'emptied', '' end
  local kind = redis.call('TYPE', KEYS[first + 1]).ok
  if kind == 'string' then return 'found', redis.call('GET', KEYS[first + 1]) end
  if kind ~= 'none' then return 'lost', kind end
  if says(marker, RECORDS) and redis.call('EXISTS', KEYS[first + 2]) == 0 then return 'lost', '' end
  for i = first + 2, first + 5 do
    if redis.call('ZSCORE', KEYS[i], hash) then return 'lost', '' end
  end
  return 'none', ''
end
`

// For each of ARGV, a hash, its six KEYS.
const lookAgain = redisBytesScript(`
${LOOK_IN_LUA}
local answer = {}
for i, hash in ipairs(ARGV) do
  answer[2 * i - 1], answer[2 * i] = look(6 * i - 5, hash)
end
return answer
`)

// The seventh of KEYS is the policy.
const lookAtOnce = redisBytesScript(`
${LOOK_IN_LUA}
local kind, found = look(1, ARGV[1])
return { kind, found, redis.call('GET', KEYS[1]), redis.call('MGET', KEYS[7])[1] }
`)

/** The users without a record that are remembered. */
const REMEMBERED_AT_MOST = 5000

/** What is known of one record among many. */
type Found = PromiseSettledResult<object | null>

interface Documents {
  readonly record: object | null
  readonly policy: object | null
}

/**
 * Reads documents together with the marker of their tag, which says that a missing document was never
 * written.
 */
export class RedisDocuments {
  readonly #redis: RedisClient
  readonly #keys: RedisKeys
  /** Who had no record lately. It decides how is asked, never what is answered. */
  readonly #without = new Set<string>()
  readonly #known = new KnownRecords()
  readonly #knownPolicy = new KnownPolicy()

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis
    this.#keys = keys
  }

  /** @throws BrokenRecordError for a record that was lost; Error where the answer cannot be known */
  async record(userId: string): Promise<object | null> {
    const place = this.#keys.place(userId)
    const { marker } = place.tag
    const [, bytes] = checked(marker, 2, await this.#redis.mgetBuffer([marker, place.key]))
    return this.#foundOf(place, bytes) ?? this.#lookedAgain(place)
  }

  /**
   * A user's record and the policy, by one command. That there is no record takes a second one, or the script that
   * does it all where that is likely: MGET alone costs less.
   *
   * @throws as `record` does, and where the tag's copy of the policy is lost
   */
  async recordAndPolicy(userId: string, hint?: { readonly atLogin: boolean }): Promise<Documents> {
    const place = this.#keys.place(userId)
    if (hint?.atLogin === true || this.#without.has(place.hash)) {
      const found = await this.#readAtOnce(place)
      if (found.record === null) this.#remember(place.hash)
      else this.#without.delete(place.hash)
      return found
    }
    const { marker, policy } = place.tag
    const found = await this.#redis.mgetBuffer([marker, policy, place.key])
    const [words, text, bytes] = checked(marker, 3, found)
    const document = this.#policyOf(policy, words, text)
    const record = this.#foundOf(place, bytes) ?? (await this.#lookedAgain(place))
    if (record === null) this.#remember(place.hash)
    return { record, policy: document }
  }

  async #readAtOnce(place: RecordPlace): Promise<Documents> {
    const { policy } = place.tag
    const answer: unknown = await lookAtOnce(this.#redis, [...keysOf(place), policy], [place.hash])
    const [kind, told, words, text] = Array.isArray(answer) ? answer : []
    const found = String(kind)
    const bytes = found === 'found' && Buffer.isBuffer(told) ? told : null
    const record = this.#foundOf(place, bytes) ?? foundAgain(place, found, told)
    return { record, policy: this.#policyOf(policy, String(words), text) }
  }

  #remember(hash: string): void {
    const [oldest] = this.#without.size < REMEMBERED_AT_MOST ? [] : this.#without
    if (oldest !== undefined) this.#without.delete(oldest)
    this.#without.add(hash)
  }

  /**
   * The records of many users, in the order of the ids: by one command, or in a cluster by one for each
   * tag among them. As many again look for what was not found.
   */
  async records(userIds: readonly string[]): Promise<readonly Found[]> {
    const places = userIds.map((userId) => this.#keys.place(userId))
    if (this.#redis.nodes !== undefined) return this.#foundByTag(places)
    try {
      return await this.#foundTogether(places)
    } catch (error) {
      // A cluster behind a proxy that looks like one server.
      if (!(error instanceof Error && error.message.startsWith('CROSSSLOT'))) throw error
      return this.#foundByTag(places)
    }
  }

  async #foundByTag(places: readonly RecordPlace[]): Promise<readonly Found[]> {
    const groups = byTag(places)
    const found = await sentTogether(
      this.#redis,
      groups,
      ([place]) => place.tag,
      (reads, group) => this.#foundTogether(group, reads),
    )
    const foundOf = new Map(
      groups.flatMap((group, nth) => group.map(({ key }, at) => [key, found[nth]?.[at]] as const)),
    )
    return places.map(({ key }) => foundOf.get(key) ?? rejected(nonsense()))
  }

  /** By one command, and one more for what it does not find. */
  async #foundTogether(
    places: readonly RecordPlace[],
    reads: Pick<RedisClient, 'mgetBuffer'> = this.#redis,
  ): Promise<readonly Found[]> {
    if (places.length === 0) return []
    const markers = [...new Set(places.map(({ tag }) => tag.marker))]
    const names = [...markers, ...places.map(({ key }) => key)]
    const answers = await reads.mgetBuffer(names)
    if (answers.length !== names.length) throw nonsense()
    const made = new Set(markers.filter((_, at) => Buffer.isBuffer(answers[at])))
    const missing = places.filter(
      ({ tag }, at) => made.has(tag.marker) && !Buffer.isBuffer(answers[markers.length + at]),
    )
    const again = missing.length === 0 ? [] : await this.#lookAgain(missing)
    const lookedAgain = new Map(missing.map(({ key }, index) => [key, again[index]]))
    return places.map(({ tag, key }, at) => {
      if (!made.has(tag.marker)) return rejected(emptied(tag.marker))
      const bytes = answers[markers.length + at]
      const one = Buffer.isBuffer(bytes) ? settled(() => recordOfBytes(key, bytes)) : undefined
      return one ?? lookedAgain.get(key) ?? rejected(nonsense())
    })
  }

  /** @throws BrokenRecordError where it cannot be read */
  #foundOf(place: RecordPlace, bytes: Buffer | null | undefined): object | null {
    return Buffer.isBuffer(bytes) ? this.#known.recordOf(place.key, bytes) : null
  }

  /** @throws Error where a policy was written and is gone */
  #policyOf(key: string, marker: string, bytes: unknown): object | null {
    return Buffer.isBuffer(bytes)
      ? this.#knownPolicy.documentOf(key, bytes)
      : policyOf(key, marker, null)
  }

  async #lookedAgain(place: RecordPlace): Promise<object | null> {
    const [found] = await this.#lookAgain([place])
    if (found?.status === 'fulfilled') return found.value
    throw found?.reason ?? nonsense()
  }

  /** After MGET found nothing: never written, written just now, or lost? */
  async #lookAgain(places: readonly RecordPlace[]): Promise<readonly Found[]> {
    const names = places.flatMap(keysOf)
    const hashes = places.map(({ hash }) => hash)
    const answer: unknown = await lookAgain(this.#redis, names, hashes)
    const told: readonly unknown[] = Array.isArray(answer) ? answer : []
    return places.map((place, index) =>
      settled(() => foundAgain(place, String(told[2 * index]), told[2 * index + 1])),
    )
  }
}

/**
 * What one command has read, so that no emptying can come between the documents and the marker.
 *
 * @param length how many keys it asked for, the marker first
 */
function checked(
  key: string,
  length: number,
  found: readonly (Buffer | null)[],
): readonly [marker: string, ...documents: (Buffer | null)[]] {
  const [marker, ...documents] = found
  if (!Buffer.isBuffer(marker)) throw emptied(key)
  if (found.length !== length) throw nonsense()
  return [marker.toString(), ...documents]
}

/** The KEYS of a look at one record. */
function keysOf({ tag: { marker, lists }, key }: RecordPlace): readonly string[] {
  return [marker, key, lists.all, lists.locked, lists.paused, lists['mail-resets-due']]
}

/** What the script has said of one record. */
function foundAgain({ tag, key }: RecordPlace, kind: string, told: unknown): object | null {
  if (kind === 'none') return null
  if (kind === 'found' && Buffer.isBuffer(told)) return recordOfBytes(key, told)
  if (kind === 'lost') {
    const instead = String(told)
    throw new LostRecordError(key, instead === '' ? 'there is none' : `it is a ${instead}`)
  }
  if (kind === 'emptied') throw emptied(tag.marker)
  throw nonsense()
}

type OfOneTag = readonly [RecordPlace, ...RecordPlace[]]

function byTag(places: readonly RecordPlace[]): readonly OfOneTag[] {
  const groups = new Map<string, OfOneTag>()
  for (const place of places) {
    const { marker } = place.tag
    const others = groups.get(marker)
    groups.set(marker, others === undefined ? [place] : [...others, place])
  }
  return [...groups.values()]
}

function settled(look: () => object | null): Found {
  try {
    return { status: 'fulfilled', value: look() }
  } catch (reason) {
    return rejected(reason)
  }
}

function nonsense(): Error {
  return new Error('Redis answered nonsense to a read')
}

function rejected(reason: unknown): Found {
  return { status: 'rejected', reason }
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
