import { parseRecord } from '../domain/parse-record.js'
import { listPlaceOf } from '../domain/record-list.js'
import { HOUR_S } from '../domain/units.js'
import { system } from '../ports/system.js'
import { type RedisClient, redisScript } from '../redis/redis-client.js'
import type { TagKeys } from '../redis/redis-keys.js'
import { recordOfBytes } from './redis-lost.js'
import { MARKER_IN_LUA } from './redis-marker.js'
import { placesOf } from './redis-writes.js'

const AT_ONCE = 100

// One that was not put in place, because this process was killed, is removed by Redis.
const LASTS = HOUR_S

// "?" leaves a list as it is.
const ADD_IN_LUA = `
local function add(first, at)
  for list = first, #KEYS do
    local place = ARGV[at + list - first + 1]
    if place == '' then redis.call('ZREM', KEYS[list], ARGV[at])
    elseif place ~= '?' then redis.call('ZADD', KEYS[list], place, ARGV[at]) end
  end
end
`

// While the list of all is lost, no record under its tag changes: what was read is what is there. KEYS: list of
// all, the new one, the other lists. ARGV, for each record: hash, its places.
const addToNew = redisScript(`
${ADD_IN_LUA}
if redis.call('TYPE', KEYS[1]).ok == 'zset' then return 0 end
for at = 1, #ARGV, 5 do add(2, at) end
redis.call('EXPIRE', KEYS[2], ${LASTS})
return 1
`)

// KEYS: marker, list of all, the new one. ARGV: how many records are in it.
const put = redisScript(`
${MARKER_IN_LUA}
local marker = redis.call('GET', KEYS[1])
if not marker then return redis.error_reply('ERR the marker is missing: Redis lost its records') end
if redis.call('TYPE', KEYS[2]).ok == 'zset' then return 0 end
if redis.call('ZCARD', KEYS[3]) ~= tonumber(ARGV[1]) then
  return redis.error_reply('ERR the new list is not whole')
end
redis.call('PERSIST', KEYS[3])
redis.call('RENAME', KEYS[3], KEYS[2])
note(KEYS[1], marker, RECORDS)
return 1
`)

// KEYS: list of all. ARGV: hashes.
const leftOut = redisScript(`
local missing = {}
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then return ARGV end
for _, hash in ipairs(ARGV) do
  if not redis.call('ZSCORE', KEYS[1], hash) then missing[#missing + 1] = hash end
end
return missing
`)

// A write would have listed its record: what is not listed has not changed since it was read. KEYS: marker,
// list of all, the others. ARGV, for each record: hash, its places.
const addToOld = redisScript(`
${ADD_IN_LUA}
${MARKER_IN_LUA}
local marker = redis.call('GET', KEYS[1])
if not marker or redis.call('TYPE', KEYS[2]).ok ~= 'zset' then return 0 end
local added = 0
for at = 1, #ARGV, 5 do
  if not redis.call('ZSCORE', KEYS[2], ARGV[at]) then
    add(2, at)
    added = added + 1
  end
end
note(KEYS[1], marker, RECORDS)
return added
`)

/** Whether a key is there, and is no list. */
export const OTHER_TYPE_IN_LUA = `
local function isOther(key)
  local kind = redis.call('TYPE', key).ok
  return kind ~= 'zset' and kind ~= 'none'
end
`

// KEYS: the lists by state.
const removeOthers = redisScript(`
${OTHER_TYPE_IN_LUA}
local removed = {}
for _, key in ipairs(KEYS) do
  if isOther(key) then
    redis.call('DEL', key)
    removed[#removed + 1] = key
  end
end
return removed
`)

/** What was put into a list. */
export interface Listed {
  readonly records: number
  /** The keys of those that are listed as lost. */
  readonly lost: readonly string[]
}

/**
 * Makes a lost list anew, and puts it in place when it is whole: with a part of the records it would say of the
 * others that they were never written.
 *
 * @returns null where another process has made the list
 */
export async function makeList(
  redis: RedisClient,
  tag: TagKeys,
  hashes: readonly string[],
): Promise<Listed | null> {
  const { marker, lists } = tag
  const fresh = `${lists.all}:${Buffer.from(system.random(12)).toString('hex')}`
  const lost: string[] = []
  for (let at = 0; at < hashes.length; at += AT_ONCE) {
    const read = await placesUnder(redis, tag, hashes.slice(at, at + AT_ONCE))
    lost.push(...read.lost)
    const names = [lists.all, fresh, ...rareListsOf(tag)]
    if (Number(await addToNew(redis, names, read.args)) !== 1) return null
  }
  const answer = await put(redis, [marker, lists.all, fresh], [String(hashes.length)])
  return Number(answer) === 1 ? { records: hashes.length, lost } : null
}

/** Adds to a list what is there and not in it, as in one that was begun anew without the others. */
export async function completeList(
  redis: RedisClient,
  tag: TagKeys,
  hashes: readonly string[],
): Promise<Listed> {
  const { marker, lists } = tag
  let records = 0
  const lost: string[] = []
  for (let at = 0; at < hashes.length; at += AT_ONCE) {
    const missing = await notListed(redis, tag, hashes.slice(at, at + AT_ONCE))
    if (missing.length === 0) continue
    const read = await placesUnder(redis, tag, missing)
    const names = [marker, lists.all, ...rareListsOf(tag)]
    records += Number(await addToOld(redis, names, read.args))
    lost.push(...read.lost)
  }
  return { records, lost }
}

/** Those of the hashes that the list of all does not name, or all where it is lost. */
export async function notListed(
  redis: RedisClient,
  { lists }: TagKeys,
  hashes: readonly string[],
): Promise<readonly string[]> {
  const missing: unknown = await leftOut(redis, [lists.all], hashes)
  if (Array.isArray(missing)) return missing.map(String)
  throw new Error('Redis answered nonsense to a list')
}

/**
 * Removes what is of another type in the place of a list by state: every write of its tag fails until then. It
 * is a lost list from there on.
 *
 * @returns the names of these lists
 */
export async function removeMistyped(redis: RedisClient, tag: TagKeys): Promise<readonly string[]> {
  const removed: unknown = await removeOthers(redis, rareListsOf(tag), [])
  if (Array.isArray(removed)) return removed.map(String)
  throw new Error('Redis answered nonsense to a list')
}

export function rareListsOf({ lists }: TagKeys): readonly string[] {
  return [lists.locked, lists.paused, lists['mail-resets-due']]
}

/** For each record its hash and its places. */
async function placesUnder(
  redis: RedisClient,
  { records }: TagKeys,
  hashes: readonly string[],
): Promise<{ readonly args: readonly string[]; readonly lost: readonly string[] }> {
  const stored = await redis.mgetBuffer(hashes.map((hash) => records + hash))
  const lost: string[] = []
  const args = hashes.flatMap((hash, nth) => {
    const places = placesIn(records + hash, stored[nth] ?? null)
    if (places === null) lost.push(records + hash)
    // Listed, it is lost; left out, it would read as "not enrolled".
    return [hash, ...(places ?? ['0', '?', '?', '?'])]
  })
  return { args, lost }
}

/** The places that a write gives a record; null where it cannot be read. */
export function placesIn(key: string, bytes: Buffer | null): readonly string[] | null {
  if (bytes === null) return null
  try {
    const stored = recordOfBytes(key, bytes)
    const record = parseRecord(stored, String(Reflect.get(stored, 'userId')))
    return placesOf(listPlaceOf(record)).map((time) => String(time ?? ''))
  } catch {
    return null
  }
}
