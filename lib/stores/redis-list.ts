import type { RecordQuery } from '../ports/record-store.js'
import { type RedisClient, redisBytesScript, redisScript } from '../redis/redis-client.js'
import type { ListKeys, TagKeys } from '../redis/redis-keys.js'
import type { ListPosition } from './list-cursor.js'
import { emptied } from './redis-lost.js'
import { MARKER_IN_LUA } from './redis-marker.js'

// The place where the page before ended is found by its member, or by halves where that has moved since:
// exact, nothing is written, and as fast in the last page as in the first. Members are compared byte by
// byte, as the set sorts them; Lua's < goes by the server's locale. Members that another set has in its
// future (the rest of KEYS) are passed over, some thousands at most in one call. A list of what is due
// ends at the present.
// KEYS: marker, prefix of records, list of all, the list, others. ARGV: time, member, limit, now, latest.
const readPage = redisBytesScript(`
${MARKER_IN_LUA}
local marker = redis.call('GET', KEYS[1])
if not marker then return {'emptied'} end
if says(marker, RECORDS) and redis.call('EXISTS', KEYS[3]) == 0 then
  return redis.error_reply('ERR the list "' .. KEYS[3] .. '" is lost')
end
local list, from, after = KEYS[4], tonumber(ARGV[1]), ARGV[2]
local limit, now, latest = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local function isAfter(member, score)
  if score ~= from then return score > from end
  for at = 1, #member do
    local one, other = string.byte(member, at), string.byte(after, at) or 0
    if one ~= other then return one > other end
  end
  return false
end
local function start()
  if after == '~' then return redis.call('ZCOUNT', list, '-inf', ARGV[1]) end
  if tonumber(redis.call('ZSCORE', list, after) or '') == from then
    return redis.call('ZRANK', list, after) + 1
  end
  local low, high = 0, redis.call('ZCARD', list)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local found = redis.call('ZRANGE', list, middle, middle, 'WITHSCORES')
    if isAfter(found[1], tonumber(found[2])) then high = middle else low = middle + 1 end
  end
  return low
end
local function elsewhere(member)
  for i = 5, #KEYS do
    local score = redis.call('ZSCORE', KEYS[i], member)
    if score and tonumber(score) > now then return true end
  end
  return false
end
local rank, found, last, time = start(), 0, '', ''
local answer = {}
local function ended(more)
  return {more, time, last, answer}
end
for round = 1, 50 do
  local batch = redis.call('ZRANGE', list, rank, rank + limit, 'WITHSCORES')
  for i = 1, #batch, 2 do
    if tonumber(batch[i + 1]) > latest then return ended('0') end
    if found == limit then return ended('1') end
    last, time = batch[i], batch[i + 1]
    if not elsewhere(last) then
      local record = redis.pcall('GET', KEYS[2] .. last)
      found = found + 1
      answer[found] = {last, time, type(record) == 'string' and record or ''}
    end
  end
  if #batch < 2 * limit + 2 then return ended('0') end
  rank = rank + limit + 1
end
return ended('1')
`)

const cardinality = redisScript(`return redis.call('ZCARD', KEYS[1])`)

/** A member of a list, with the bytes of its record: none where that is lost. */
export interface ListedBytes extends ListPosition {
  readonly bytes: Buffer
}

/** What one tag has of a page. */
export interface TagPage {
  readonly listed: readonly ListedBytes[]
  /** Where it ended; null where the tag has no more. */
  readonly end: ListPosition | null
}

/** Reads a page of a list under one tag, with its records, by one command. */
export async function readTagPage(
  redis: RedisClient,
  { marker, records, lists }: TagKeys,
  { list, now }: Pick<RecordQuery, 'list' | 'now'>,
  { after, limit }: { after: ListPosition | null; limit: number },
): Promise<TagPage> {
  const from = startOf(after, floorOf(list, now))
  const latest = list === 'mail-resets-due' ? now : Number.MAX_SAFE_INTEGER
  const args = [from.time, from.key, limit, now, latest].map(String)
  const names = [marker, records, lists.all, ...setsFor(list, lists)]
  const answer: unknown = await readPage(redis, names, args)
  const [more, time, last, members] = Array.isArray(answer) ? answer : []
  if (String(more) === 'emptied') throw emptied(marker)
  if (!Array.isArray(members)) throw new Error('Redis answered nonsense to a list')
  const end = String(more) === '1' ? { time: Number(String(time)), key: String(last) } : null
  return { listed: members.map(listedBytes), end }
}

function listedBytes(member: unknown): ListedBytes {
  const [key, time, bytes] = Array.isArray(member) ? member : []
  if (!Buffer.isBuffer(bytes)) throw new Error('Redis answered nonsense to a list')
  return { key: String(key), time: Number(String(time)), bytes }
}

/** The number of users with a record. */
export async function countRecords(redis: RedisClient, tags: readonly TagKeys[]): Promise<number> {
  const counts = await Promise.all(
    tags.map(async ({ lists }) => Number(await cardinality(redis, [lists.all], []))),
  )
  if (!counts.every(Number.isSafeInteger)) throw new Error('Redis answered nonsense to a count')
  return counts.reduce((sum, count) => sum + count, 0)
}

/** The set to page through, then those whose members are in another list. */
function setsFor(list: RecordQuery['list'], lists: ListKeys): readonly string[] {
  const { all, locked, paused } = lists
  if (list === 'on') return [all, locked, paused]
  if (list === 'enrolled') return [all]
  if (list === 'paused') return [paused, locked]
  return [lists[list]]
}

/** The time that members of a list have left behind. In the set of all, who is not enrolled has 0. */
function floorOf(list: RecordQuery['list'], now: number): number {
  if (list === 'locked' || list === 'paused') return now
  return list === 'enrolled' || list === 'on' ? 0 : -1
}

/** Right after the page before, and never among those whose time is over. */
function startOf(after: ListPosition | null, floor: number): ListPosition {
  return after !== null && after.time > floor ? after : { time: floor, key: '~' }
}
