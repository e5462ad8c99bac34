import { DAY_MS, DAY_S } from '../domain/units.js'
import type { AuditEntry } from '../ports/audit-log.js'
import { redisScript, type ScriptClient } from '../redis/redis-client.js'
import { type RecordPlace, type RedisKeys, TAGS } from '../redis/redis-keys.js'
import { COUNT_DAYS_IN_LUA } from './redis-audit-days.js'
import { kindAndEntry, shortIdOfTime } from './redis-audit-entry.js'
import { AUDIT_LISTS_IN_LUA } from './redis-audit-lua.js'

/** How much the log keeps. */
export interface AuditBounds {
  /** Entries of each kind about everybody. */
  readonly length: number
  readonly days: number
}

export const LENGTH = 100_000
export const DAYS = 90
// More than the 900 in 90 days that need no factor: five resets by mail a day, asked for and cancelled.
const CHANGES_OF_ONE_USER = 1000
// Somebody who can open accounts can fill this list for each account.
const ATTEMPTS_OF_ONE_USER = 100
// About no single user: the refused changes of all admins.
const ATTEMPTS_OF_NOBODY = 1000

/**
 * Lua that adds entries, each once, however often it is sent. Lists of one user have the entries; the
 * lists of everybody under the same tag have their ids, each with the user's hash. From `keys` on, KEYS are
 * the user's changes, their attempts, everybody's changes, everybody's attempts, the counts by day. From `args` on,
 * ARGV are the id before which entries are too old, its time, the seconds to keep and the lengths of the four
 * lists in one (each argument takes time to send), then the entries, with a letter for the kind in front, a capital
 * where they are counted by day. `hash` is the user's.
 *
 * A user agent is the largest part of an entry, so an entry that is no longer the newest keeps only what the
 * next newer one has differently. Each sixteenth keeps all, so that nobody looks far. Lists get longer than
 * their length by a few before they are cut.
 */
export const APPEND_IN_LUA = `
${AUDIT_LISTS_IN_LUA}
local function insert(key, at, id, text)
  if at > 0 and idOf(redis.call('LINDEX', key, at - 1)) == id then return nil end
  local older = wholeAt(key, at)
  if not older then return redis.call('RPUSH', key, text) end
  local stored = redis.call('LINDEX', key, at)
  if stored ~= older then redis.call('LSET', key, at, older) end
  return redis.call('LINSERT', key, 'BEFORE', older, text)
end
local function addEntry(key, text)
  local id, newest = idOf(text), redis.call('LINDEX', key, 0)
  if newest and not isOlder(newest, id) then return insert(key, placeOfOlder(key, id), id, text) end
  local length = redis.call('LPUSH', key, text)
  local head, user, ip, agent, rest = linesOf(newest or '')
  if head and length % RUN ~= 0 then
    local _, newUser, newIp, newAgent = linesOf(text)
    if user == newUser then user = '' end
    if ip == newIp then ip = '' end
    if agent == newAgent then agent = '' end
    redis.call('LSET', key, 1, entryOf(head, user, ip, agent, rest))
  end
  return length
end
local function addReference(key, text)
  local id, newest = idOf(text), redis.call('LINDEX', key, 0)
  if not newest or isOlder(newest, id) then return redis.call('LPUSH', key, text) end
  local at = placeOfOlder(key, id)
  if idOf(redis.call('LINDEX', key, at - 1) or '') == id then return redis.call('LLEN', key) end
  local older = redis.call('LINDEX', key, at)
  if not older then return redis.call('RPUSH', key, text) end
  return redis.call('LINSERT', key, 'BEFORE', older, text)
end
local function shareOf(counts, length)
  local sizes = {}
  for _, size in pairs(counts) do sizes[#sizes + 1] = size end
  table.sort(sizes)
  local left = length
  for i, size in ipairs(sizes) do
    local share = math.floor(left / (#sizes - i + 1))
    if size > share then return math.max(1, share) end
    left = left - size
  end
  return length
end
-- Who has most in it goes first, so that nobody pushes another user out of the list of everybody.
local function cutFairly(key, length)
  local all, counts, met = redis.call('LRANGE', key, 0, -1), {}, {}
  for _, reference in ipairs(all) do
    local hash = string.sub(reference, 21)
    counts[hash] = (counts[hash] or 0) + 1
  end
  local share, kept = shareOf(counts, length), {}
  for _, reference in ipairs(all) do
    local hash = string.sub(reference, 21)
    met[hash] = (met[hash] or 0) + 1
    if met[hash] <= share and #kept < length then kept[#kept + 1] = reference end
  end
  redis.call('DEL', key)
  for from = 1, #kept, 1000 do
    redis.call('RPUSH', key, unpack(kept, from, math.min(from + 999, #kept)))
  end
end
local DIGITS = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz'
local function idOfTime(ms)
  local id = ''
  for _ = 1, 8 do
    local digit = ms % 64
    id = string.sub(DIGITS, digit + 1, digit + 1) .. id
    ms = (ms - digit) / 64
  end
  return id .. string.rep('-', 12)
end
-- By the server's clock, if the entry's is ahead: one process with a wrong clock must not empty the log.
local function oldestKept(oldest, oldestTime, seconds)
  local time = redis.call('TIME')
  local ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) - seconds * 1000
  if ms < oldestTime then return idOfTime(math.max(0, ms)) end
  return oldest
end
local function leaveOldOut(key, oldest)
  local last = redis.call('LINDEX', key, -1)
  while last and isOlder(last, oldest) do
    redis.call('RPOP', key)
    last = redis.call('LINDEX', key, -1)
  end
end
local function keepFor(key, seconds)
  if redis.call('TTL', key) < seconds then redis.call('EXPIRE', key, seconds + 86400) end
end
${COUNT_DAYS_IN_LUA}
local function appendEntries(keys, args, hash)
  local bounds = string.gmatch(ARGV[args + 1], '%d+')
  local oldestTime, seconds = tonumber(bounds()), tonumber(bounds())
  local oldest = oldestKept(ARGV[args], oldestTime, seconds)
  local lengths, used = {}, {}
  for list = 0, 3 do lengths[list] = tonumber(bounds()) end
  for i = args + 2, #ARGV do
    local kind = string.sub(ARGV[i], 1, 1)
    local list = string.lower(kind) == 'c' and 0 or 1
    local text = string.sub(ARGV[i], 2)
    local length = addEntry(KEYS[keys + list], text)
    if length then
      used[list] = true
      countByDay(KEYS[keys + 4], kind, text, seconds)
      local surplus = {}
      if length >= lengths[list] + RUN then
        surplus = redis.call('LRANGE', KEYS[keys + list], lengths[list], -1)
        redis.call('LTRIM', KEYS[keys + list], 0, lengths[list] - 1)
      end
      local ofAll = lengths[list + 2]
      local lengthOfAll = addReference(KEYS[keys + list + 2], idOf(text) .. hash)
      for _, entry in ipairs(surplus) do
        redis.call('LREM', KEYS[keys + list + 2], -1, idOf(entry) .. hash)
      end
      if lengthOfAll > ofAll + math.max(RUN, ofAll / 8) then
        cutFairly(KEYS[keys + list + 2], ofAll)
      end
    end
  end
  for list = 0, 3 do
    if used[list % 2] then
      leaveOldOut(KEYS[keys + list], oldest)
      keepFor(KEYS[keys + list], seconds)
    end
  end
end
`

const append = redisScript(`
${APPEND_IN_LUA}
appendEntries(1, 2, ARGV[1])
return 1
`)

/** The keys and arguments of `appendEntries` for entries about one user, who has this place. */
export function appendArguments(
  { tag, hash }: RecordPlace,
  { length, days }: AuditBounds,
  entries: readonly AuditEntry[],
): { readonly names: readonly string[]; readonly args: readonly string[] } {
  const { user = null } = entries[0] ?? {}
  const newest = Math.max(0, ...entries.map(({ at }) => at))
  const ofTag = Math.ceil(length / TAGS)
  const attempts = user === null ? ATTEMPTS_OF_NOBODY : ATTEMPTS_OF_ONE_USER
  const oldest = Math.max(0, Math.floor(newest - days * DAY_MS))
  const bounds = `${oldest} ${days * DAY_S} ${CHANGES_OF_ONE_USER} ${attempts} ${ofTag} ${ofTag}`
  return {
    names: [tag.events + hash, tag.attempts + hash, tag.allEvents, tag.allAttempts, tag.days],
    args: [shortIdOfTime(oldest), bounds, ...entries.map(kindAndEntry)],
  }
}

/** Adds entries about one user, by one command. */
export async function appendAbout(
  redis: ScriptClient,
  keys: RedisKeys,
  bounds: AuditBounds,
  entries: readonly AuditEntry[],
): Promise<void> {
  // No user has the empty id. It stands for events about no single user.
  const place = keys.place(entries[0]?.user ?? '')
  const { names, args } = appendArguments(place, bounds, entries)
  await append(redis, names, [place.hash, ...args])
}
