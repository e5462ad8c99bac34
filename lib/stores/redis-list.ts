import type { RecordQuery } from '../ports/record-store.js'
import { type RedisClient, redisScript } from '../redis/redis-client.js'
import type { RedisKeys } from '../redis/redis-keys.js'
import { type ListPosition, readCursor, writeCursor } from './list-cursor.js'

// Where the page before ended is found by putting a probe right behind it: exact whether or not that
// member is still there, and as fast in the last page as in the first. Members that another set has
// in its future (the rest of KEYS) are passed over, some thousands at most in one call. A list of
// what is due ends at the present. Who is enrolled (KEYS[3]) is in the list of all (KEYS[2]) too.
const readPage = redisScript(`
if redis.call('ZCARD', KEYS[2]) < redis.call('ZCARD', KEYS[3]) then
  return redis.error_reply('ERR the list "' .. KEYS[2] .. '" lost entries')
end
local probe = ARGV[2] .. '~'
redis.call('ZADD', KEYS[1], ARGV[1], probe)
local rank = redis.call('ZRANK', KEYS[1], probe)
redis.call('ZREM', KEYS[1], probe)
local limit, now, latest = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local function elsewhere(member)
  for i = 4, #KEYS do
    local score = redis.call('ZSCORE', KEYS[i], member)
    if score and tonumber(score) > now then return true end
  end
  return false
end
local found, last, score = {}, '', ''
for round = 1, 50 do
  local batch = redis.call('ZRANGE', KEYS[1], rank, rank + 99, 'WITHSCORES')
  for i = 1, #batch, 2 do
    if tonumber(batch[i + 1]) > latest then return {0, last, score, unpack(found)} end
    if #found == limit then return {1, last, score, unpack(found)} end
    last, score = batch[i], batch[i + 1]
    if not elsewhere(last) then found[#found + 1] = last end
  end
  if #batch < 200 then return {0, last, score, unpack(found)} end
  rank = rank + 100
end
return {1, last, score, unpack(found)}
`)

const cardinality = redisScript(`return redis.call('ZCARD', KEYS[1])`)

/**
 * A page of users' hashes.
 *
 * @returns null for a cursor that was made up
 */
export async function listHashes(
  redis: RedisClient,
  lists: RedisKeys['lists'],
  { list, cursor, limit, now }: RecordQuery,
): Promise<{ hashes: readonly string[]; next: string | null } | null> {
  const after = cursor === null ? null : readCursor(list, cursor)
  if (after === undefined) return null
  const from = startOf(after, list === 'locked' || list === 'paused' ? now : -1)
  const latest = list === 'mail-resets-due' ? now : Number.MAX_SAFE_INTEGER
  const args = [from.time, from.key, limit, now, latest].map(String)
  const answer: unknown = await readPage(redis, setsFor(list, lists), args)
  if (!Array.isArray(answer)) throw new Error('Redis answered nonsense to a list')
  const [more, last, time, ...hashes] = answer.map(String)
  if (last === undefined) throw new Error('Redis answered nonsense to a list')
  const next = more === '1' ? writeCursor(list, { time: Number(time), key: last }) : null
  return { hashes, next }
}

/** The number of users with a record. */
export async function countHashes(redis: RedisClient, lists: RedisKeys['lists']): Promise<number> {
  const count = Number(await cardinality(redis, [lists.all], []))
  if (Number.isSafeInteger(count)) return count
  throw new Error('Redis answered nonsense to a count')
}

/** The set to page through, those that must agree, then those whose members are in another list. */
function setsFor(list: RecordQuery['list'], lists: RedisKeys['lists']): readonly string[] {
  const { all, enrolled, locked, paused } = lists
  if (list === 'on') return [enrolled, all, enrolled, locked, paused]
  if (list === 'paused') return [paused, all, enrolled, locked]
  return [lists[list], all, enrolled]
}

/** Right after the page before, and never among those whose time is over. */
function startOf(after: ListPosition | null, floor: number): ListPosition {
  return after !== null && after.time > floor ? after : { time: floor, key: '~' }
}
