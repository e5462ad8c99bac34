import { type RedisClient, redisScript } from '../redis/redis-client.js'
import { HASH_LENGTH, type RedisKeys, type TagKeys } from '../redis/redis-keys.js'
import { readMarkers, requireMarkers, saysRecords } from './redis-marker.js'
import { misplaced } from './redis-misplaced.js'
import {
  completeList,
  type Listed,
  makeList,
  notListed,
  rareListsOf,
  removeMistyped,
} from './redis-repaired-list.js'
import { scanKeys } from './redis-scan.js'

/** What a repair has done. Lists and records are named by their keys. */
export interface RedisRepair {
  /** Lists of all records that were lost, and lists by state that were of another type: made anew. */
  readonly made: readonly string[]
  /** How many records were put into a list of all, or from a wrong place into theirs in a list. */
  readonly records: number
  /** Those of them that cannot be read, or that only another list names. They stay lost. */
  readonly lost: readonly string[]
  /** Lists that stay lost: no record is left that was in them. */
  readonly left: readonly string[]
}

type Hashes = ReadonlyMap<TagKeys, ReadonlySet<string>>

const members = redisScript(`return redis.call('ZRANGE', KEYS[1], 0, -1)`)
const typeOf = redisScript(`return redis.call('TYPE', KEYS[1]).ok`)

/**
 * Makes lists of all records anew that are lost, each from the records under its tag, and adds to the others what
 * they leave out. The lists by state get the places that their records have in them, also where one of them alone
 * was lost, or is of another type.
 *
 * @throws ConfigurationError where a marker is missing
 */
export async function repairLists(
  redis: RedisClient,
  prefix: string,
  keys: RedisKeys,
): Promise<RedisRepair> {
  const markers = await readMarkers(redis, keys)
  requireMarkers(markers, keys)
  const types = await Promise.all(keys.tags.map(({ lists }) => typeOf(redis, [lists.all], [])))
  const without = keys.tags.filter((_, number) => String(types[number]) !== 'zset')
  const mistyped = await Promise.all(keys.tags.map((tag) => removeMistyped(redis, tag)))
  const lostUnder = new Map(without.map((tag) => [tag, new Set<string>()]))
  const listed: Listed[] = []
  for await (const names of scanKeys(redis, `${prefix}:{`)) {
    for (const [tag, hashes] of byTag(keys, prefix, names)) {
      const lost = lostUnder.get(tag)
      if (lost !== undefined) {
        for (const hash of hashes) lost.add(hash)
        continue
      }
      listed.push(await completeList(redis, tag, [...hashes]))
      const placed = await misplaced(redis, tag, [...hashes], 'place')
      listed.push({ records: placed.length, lost: [] })
    }
  }
  const [made, left]: [string[], string[]] = [mistyped.flat(), []]
  for (const [tag, hashes] of lostUnder) {
    const all = [...hashes, ...(await onlyListed(redis, tag, hashes))]
    if (all.length === 0) {
      // Under a tag where nothing was ever written there is no list either.
      if (saysRecords(markers[keys.tags.indexOf(tag)] ?? '')) left.push(tag.lists.all)
      continue
    }
    const done = await makeList(redis, tag, all)
    if (done === null) continue
    made.push(tag.lists.all)
    listed.push(done)
  }
  const records = listed.reduce((sum, one) => sum + one.records, 0)
  return { made, records, lost: listed.flatMap(({ lost }) => lost), left }
}

/**
 * The keys of records that no list of all names: pages leave them out, and a loss of one of them would not be
 * seen.
 */
export function unlistedRecords(
  redis: RedisClient,
  prefix: string,
  keys: RedisKeys,
): Promise<readonly string[]> {
  return recordsWhere(redis, prefix, keys, (tag, hashes) => notListed(redis, tag, hashes))
}

/** The keys of records that the lists have in other places than a write would: a list by state leaves them out. */
export function misplacedRecords(
  redis: RedisClient,
  prefix: string,
  keys: RedisKeys,
): Promise<readonly string[]> {
  return recordsWhere(redis, prefix, keys, (tag, hashes) => misplaced(redis, tag, hashes, 'look'))
}

/** The keys of all records that `find` names by their hashes. */
async function recordsWhere(
  redis: RedisClient,
  prefix: string,
  keys: RedisKeys,
  find: (tag: TagKeys, hashes: readonly string[]) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const found = new Set<string>()
  for await (const names of scanKeys(redis, `${prefix}:{`)) {
    for (const [tag, hashes] of byTag(keys, prefix, names)) {
      for (const hash of await find(tag, [...hashes])) found.add(tag.records + hash)
    }
  }
  return [...found]
}

/** The hashes of all that is in place of a record, by tag. A key may be named twice. */
function byTag(keys: RedisKeys, prefix: string, names: readonly string[]): Hashes {
  const found = new Map<TagKeys, Set<string>>()
  for (const name of names) {
    const { tag, hash, key } = keys.placeOfHash(name.slice(-HASH_LENGTH))
    if (key !== `${prefix}:{${name}`) continue
    found.set(tag, (found.get(tag) ?? new Set()).add(hash))
  }
  return found
}

/** Who is in a list by state, and has no record. */
async function onlyListed(
  redis: RedisClient,
  tag: TagKeys,
  hashes: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const lists = await Promise.all(rareListsOf(tag).map((list) => members(redis, [list], [])))
  const found = lists.flatMap((list: unknown) => (Array.isArray(list) ? list.map(String) : []))
  return new Set(found.filter((hash) => !hashes.has(hash)))
}
