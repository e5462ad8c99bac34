import type { SecondStepRecord } from '../domain/record.js'
import { encodeNamedRecord } from '../domain/record-bytes.js'
import { type ListPlace, listPlaceOf } from '../domain/record-list.js'
import type { AuditEntry } from '../ports/audit-log.js'
import { type RedisArgument, redisScript, type ScriptClient } from '../redis/redis-client.js'
import type { RecordPlace, RedisKeys } from '../redis/redis-keys.js'
import { APPEND_IN_LUA, appendArguments, DAYS, LENGTH } from './redis-audit-append.js'
import { MARKER_IN_LUA } from './redis-marker.js'

/** Lua that reads the version of JSON, and whether it is of the write that ARGV names. */
export const HEAD_OF_JSON = `
local function headOfJson(stored)
  local document = cjson.decode(stored)
  return document.version, document.writeId == ARGV[2]
end
`

/**
 * Lua that compares and sets. KEYS: document, marker. ARGV: expected version, write id, document.
 * What is stored is the very string that came in. The code in front of it says what is `lost`, and what
 * the `head` of a stored document is: its version, and whether this very write has made it. Who has sent a write
 * again finds it in what is stored, and that is set once more: WAIT covers what its own connection has written.
 */
export const COMPARE_AND_SET = `
local marker = redis.call('GET', KEYS[2])
if not marker then return redis.error_reply('ERR the marker is missing: Redis lost its records') end
local stored = redis.call('GET', KEYS[1])
if not stored and lost(marker) then return redis.error_reply('ERR the document is lost') end
local version, isOwn = 0, false
if stored then version, isOwn = head(stored) end
if isOwn or version ~= tonumber(ARGV[1]) then
  if stored then redis.call('SET', KEYS[1], stored) end
  return isOwn and 1 or 0
end
redis.call('SET', KEYS[1], ARGV[3])`

// KEYS go on with the lists, that of all first; ARGV with the hash, the places in the lists with a comma behind
// each, and the name of the write as it stands in a record's bytes. The lists have
// the record's slot, so that one script changes both or neither: no list is ever behind, and none
// needs healing. A script that fails half way undoes nothing, so every list is looked at first.
const WRITE_RECORD = `
${MARKER_IN_LUA}
${HEAD_OF_JSON}
local function head(stored)
  if string.byte(stored) ~= 1 then return headOfJson(stored) end
  local version, at = string.match(stored, '^.(%d+):()')
  return tonumber(version), string.sub(stored, at, at + #ARGV[6] - 1) == ARGV[6]
end
local places, listed = {}, false
for i = 3, 6 do
  local place = redis.call('ZSCORE', KEYS[i], ARGV[4])
  places[i], listed = tonumber(place or ''), place or listed
end
local function lost(marker)
  return listed or (says(marker, RECORDS) and redis.call('EXISTS', KEYS[3]) == 0)
end
-- Written on, a list of all that was lost would be one of this record alone, and prove nothing of the others.
if not places[3] and redis.call('EXISTS', KEYS[1]) == 1 and redis.call('EXISTS', KEYS[3]) == 0 then
  return redis.error_reply('ERR the list of all records is lost')
end
${COMPARE_AND_SET}
local list = 3
for time in string.gmatch(ARGV[5], '([^,]*),') do
  local place = tonumber(time)
  if place ~= places[list] then
    if place then redis.call('ZADD', KEYS[list], time, ARGV[4])
    else redis.call('ZREM', KEYS[list], ARGV[4]) end
  end
  list = list + 1
end
note(KEYS[2], marker, RECORDS)
`

const BOUNDS = { length: LENGTH, days: DAYS }

const writeRecord = redisScript(`${WRITE_RECORD} return 1`)

// Entries of the audit log go on from there, if this very write has changed the record.
const writeRecordWith = redisScript(`
${APPEND_IN_LUA}
for i = 7, 10 do redis.call('LLEN', KEYS[i]) end
redis.call('HLEN', KEYS[11])
${WRITE_RECORD}
appendEntries(7, 7, ARGV[4])
return 1
`)

/** Writes a record and its places in the lists, by one command. Answers as the port does. */
export async function writeRecordAt(
  redis: ScriptClient,
  place: RecordPlace,
  record: SecondStepRecord,
  expectedVersion: number,
): Promise<boolean> {
  const { names, args } = recordArguments(place, record, expectedVersion)
  return hasWon(await writeRecord(redis, names, args))
}

/** A write of a record with entries of the audit log, all of them about the record's user. */
interface WriteOfEntries {
  readonly record: SecondStepRecord
  readonly expectedVersion: number
  readonly entries: readonly AuditEntry[]
}

/** As `writeRecordAt`, and adds entries about the record's user if this call puts the record in place. */
export async function writeRecordWithEntries(
  redis: ScriptClient,
  keys: RedisKeys,
  { record, expectedVersion, entries }: WriteOfEntries,
): Promise<boolean> {
  const place = keys.place(record.userId)
  const { names, args } = recordArguments(place, record, expectedVersion)
  const more = appendArguments(place, BOUNDS, entries)
  names.push(...more.names)
  args.push(...more.args)
  return hasWon(await writeRecordWith(redis, names, args))
}

function recordArguments(
  { tag, key, hash }: RecordPlace,
  record: SecondStepRecord,
  expectedVersion: number,
): { readonly names: string[]; readonly args: RedisArgument[] } {
  const { marker, lists } = tag
  const names = [key, marker, lists.all, lists.locked, lists.paused, lists['mail-resets-due']]
  let places = ''
  for (const time of placesOf(listPlaceOf(record))) places += `${time ?? ''},`
  const { bytes, name } = encodeNamedRecord(record)
  return { names, args: [String(expectedVersion), record.writeId, bytes, hash, places, name] }
}

/** In the list of all, 0 stands for who is not enrolled. */
export function placesOf({ since, lockedUntil, pausedUntil, mailResetDue }: ListPlace) {
  return [since === null ? 0 : Math.max(1, since), lockedUntil, pausedUntil, mailResetDue]
}

/** The arguments of a script that compares and sets. */
export function argumentsOf(
  document: { readonly writeId: string },
  expectedVersion: number,
): readonly string[] {
  return [String(expectedVersion), document.writeId, JSON.stringify(document)]
}

/** The answer of a script that compares and sets. */
export function hasWon(answer: unknown): boolean {
  if (String(answer) === '1') return true
  if (String(answer) === '0') return false
  throw new Error('Redis answered nonsense to a write')
}
