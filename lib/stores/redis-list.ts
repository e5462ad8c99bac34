import type { RecordQuery } from '../ports/record-store.js'
import {
  type BytesClient,
  type RedisClient,
  redisBytesScript,
  redisScript,
} from '../redis/redis-client.js'
import type { ListKeys, TagKeys } from '../redis/redis-keys.js'
import type { ListPosition } from './list-cursor.js'
import { emptied } from './redis-lost.js'
import { MARKER_IN_LUA } from './redis-marker.js'

/** As many of a set are read by one command of a script, whose answers and arguments take memory. */
const FEW = 500

// The place where the page before ended is found by its member, or by halves where that has moved since:
// exact, nothing is written, and as fast in the last page as in the first. Members are compared byte by
// byte, as the set sorts them; Lua's < goes by the server's locale. Members that another set has in its
// future (the rest of KEYS) are passed over, some thousands at most in one call. A list of what is due
// ends at the present. Calls of commands, functions and texts of times cost more than all else: records
// are read many at a time, a time only where it is asked for, and a tag without members ends it early.
// KEYS: marker, prefix of records, list of all, the list, others. ARGV: time, member, limit, now, latest,
// and whether each member's time is asked for.
const readPage = redisBytesScript(`
${MARKER_IN_LUA}
local marker = redis.call('GET', KEYS[1])
if not marker then return {'emptied'} end
if says(marker, RECORDS) and redis.call('TYPE', KEYS[3]).ok ~= 'zset' then return {'lost', KEYS[3]} end
local list, after, limit, timed = KEYS[4], ARGV[2], tonumber(ARGV[3]), ARGV[6] == '1'
local function isOther(answer) return type(answer) == 'table' and string.find(answer.err or '', 'WRONGTYPE') end
local stop = redis.pcall('ZCOUNT', list, '-inf', ARGV[5])
if isOther(stop) then return {'lost', list} end
local rank
if after == '~' then
  rank = redis.call('ZCOUNT', list, '-inf', ARGV[1])
elseif tonumber(redis.call('ZSCORE', list, after) or '') == tonumber(ARGV[1]) then
  rank = redis.call('ZRANK', list, after) + 1
else
  local from = tonumber(ARGV[1])
  local function isAfter(member, score)
    if score ~= from then return score > from end
    for at = 1, #member do
      local one, other = string.byte(member, at), string.byte(after, at) or 0
      if one ~= other then return one > other end
    end
    return false
  end
  local high = redis.call('ZCARD', list)
  rank = 0
  while rank < high do
    local middle = math.floor((rank + high) / 2)
    local found = redis.call('ZRANGE', list, middle, middle, 'WITHSCORES')
    if isAfter(found[1], tonumber(found[2])) then high = middle else rank = middle + 1 end
  end
end
if rank >= stop then return {'page'} end

local few, large = {}, {}
for i = 5, #KEYS do
  local count = redis.pcall('ZCOUNT', KEYS[i], '(' .. ARGV[4], '+inf')
  if isOther(count) then return {'lost', KEYS[i]} end
  if count > ${FEW} then
    large[#large + 1] = KEYS[i]
  elseif count > 0 then
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[i], '(' .. ARGV[4], '+inf')) do
      few[member] = true
    end
  end
end
local now = tonumber(ARGV[4])
local function elsewhere(member)
  if few[member] then return true end
  for _, set in ipairs(large) do
    local score = redis.call('ZSCORE', set, member)
    if score and tonumber(score) > now then return true end
  end
  return false
end
local found, last = 0, ''
local members, times, keys, records = {}, {}, {}, {}
local function ended(more)
  for first = 1, found, ${FEW} do
    local batch = redis.call('MGET', unpack(keys, first, math.min(found, first + ${FEW} - 1)))
    for i, record in ipairs(batch) do records[first + i - 1] = record or '' end
  end
  local time = more and redis.call('ZSCORE', list, last) or ''
  return {'page', more and last or '', time, table.concat(members, ' '), table.concat(times, ' '), records}
end
local step, scores = timed and 2 or 1, timed and {'WITHSCORES'} or {}
for round = 1, 50 do
  if rank >= stop then return ended(false) end
  local batch = redis.call('ZRANGE', list, rank, math.min(rank + limit, stop - 1), unpack(scores))
  for i = 1, #batch, step do
    if found == limit then return ended(true) end
    last = batch[i]
    if not elsewhere(last) then
      found = found + 1
      members[found], keys[found] = last, KEYS[2] .. last
      if timed then times[found] = batch[i + 1] end
    end
  end
  rank = rank + #batch / step
end
return ended(true)
`)

// A list that was lost has none, also where something else is in its place.
const cardinality = redisScript(
  `return redis.call('TYPE', KEYS[1]).ok == 'zset' and redis.call('ZCARD', KEYS[1]) or 0`,
)

/** A member of a list, with the bytes of its record: none where that is lost. */
export interface ListedBytes {
  readonly key: string
  readonly bytes: Buffer
  /** By which the list is sorted; null where it was not asked for. */
  readonly time: number | null
}

/** What one tag has of a page. */
export interface TagPage {
  readonly listed: readonly ListedBytes[]
  /** Where it ended; null where the tag has no more. */
  readonly end: ListPosition | null
  /** The key of the list of all where it is lost, or of one of another type: nobody knows who is missing. */
  readonly lostList?: string
}

const NOTHING: TagPage = { listed: [], end: null }

/** The part of a list that is asked of one tag. */
interface TagPart {
  readonly after: ListPosition | null
  /** At least 1. */
  readonly limit: number
  /** Whether the page may end at any of the members, not just at the last. */
  readonly timed: boolean
}

/** Reads a page of a list under one tag, with its records, by one command. */
export async function readTagPage(
  redis: BytesClient,
  { marker, records, lists }: TagKeys,
  { list, now }: Pick<RecordQuery, 'list' | 'now'>,
  { after, limit, timed }: TagPart,
): Promise<TagPage> {
  const from = startOf(after, floorOf(list, now))
  const latest = list === 'mail-resets-due' ? now : Number.MAX_SAFE_INTEGER
  const args = [from.time, from.key, limit, now, latest, Number(timed)].map(String)
  const names = [marker, records, lists.all, ...setsFor(list, lists)]
  const answer: unknown = await readPage(redis, names, args)
  const told: readonly unknown[] = Array.isArray(answer) ? answer : []
  if (String(told[0]) === 'emptied') throw emptied(marker)
  if (String(told[0]) === 'lost') return { ...NOTHING, lostList: String(told[1]) }
  if (String(told[0]) === 'page' && told.length === 1) return NOTHING
  const [, last, at, members, times, found] = told
  const key = String(last)
  return {
    listed: listedBytes(wordsOf(members), timed ? wordsOf(times) : null, found),
    end: key === '' ? null : { time: Number(String(at)), key },
  }
}

function listedBytes(
  members: readonly string[],
  times: readonly string[] | null,
  found: unknown,
): readonly ListedBytes[] {
  const length = times?.length ?? members.length
  if (!Array.isArray(found) || found.length !== members.length || length !== members.length) {
    throw nonsense()
  }
  return members.map((key, at) => {
    const bytes: unknown = found[at]
    if (!Buffer.isBuffer(bytes)) throw nonsense()
    return { key, bytes, time: times === null ? null : Number(times[at]) }
  })
}

function wordsOf(answer: unknown): readonly string[] {
  const text = String(answer)
  return text === '' ? [] : text.split(' ')
}

function nonsense(): Error {
  return new Error('Redis answered nonsense to a list')
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
