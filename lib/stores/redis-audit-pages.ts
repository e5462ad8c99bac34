import { DAY_MS } from '../domain/units.js'
import type { AuditEntry, AuditPage, AuditQuery } from '../ports/audit-log.js'
import { type RedisClient, redisScript } from '../redis/redis-client.js'
import type { RedisKeys, TagKeys } from '../redis/redis-keys.js'
import { decodeEntry, type EntryContext, shortId } from './redis-audit-entry.js'
import { AUDIT_LISTS_IN_LUA } from './redis-audit-lua.js'

/** How many entries, of those that are older than this short id. Empty: the newest. */
interface Span {
  readonly before: string
  readonly limit: number
}

// KEYS: lists of one user. ARGV: short id of the cursor, limit. The first of each list is whole.
const readOfUser = redisScript(`
${AUDIT_LISTS_IN_LUA}
local answer = {}
for list, key in ipairs(KEYS) do
  local from = ARGV[1] == '' and 0 or placeOfOlder(key, ARGV[1])
  local found = redis.call('LRANGE', key, from, from + ARGV[2] - 1)
  if from > 0 and found[1] then found[1] = wholeAt(key, from) end
  answer[list] = found
end
return answer
`)

// KEYS: changes and attempts of everybody under a tag, then what the keys of one user's lists begin with:
// a client may put a prefix of its own in front of KEYS alone. ARGV as above. What a user's own list does
// not have any more is passed over.
const readOfTag = redisScript(`
${AUDIT_LISTS_IN_LUA}
local limit, answer = tonumber(ARGV[2]), {}
for list = 1, 2 do
  local key = KEYS[list]
  local from = ARGV[1] == '' and 0 or placeOfOlder(key, ARGV[1])
  local found, left = {}, true
  while #found < limit and left do
    local references = redis.call('LRANGE', key, from, from + limit - 1)
    for _, reference in ipairs(references) do
      local ofUser = KEYS[2 + list] .. string.sub(reference, 21)
      local at = placeOfOlder(ofUser, idOf(reference)) - 1
      local entry = at >= 0 and wholeAt(ofUser, at)
      if entry and idOf(entry) == idOf(reference) then found[#found + 1] = entry end
      if #found == limit then break end
    end
    from = from + #references
    left = #references == limit
  end
  answer[list] = found
end
return answer
`)

/** How much more than an equal share a tag is asked for first. Few tags are asked again. */
const MORE_THAN_EQUAL = 8

/**
 * A page of the audit log, of one user or of all; null for a cursor that was made up.
 *
 * @param days how long entries are kept
 */
export async function auditPage(
  redis: RedisClient,
  keys: RedisKeys,
  { user, cursor, limit, now }: AuditQuery,
  days: number,
): Promise<AuditPage | null> {
  if (cursor !== null && !/^[0-9a-f]{30}$/.test(cursor)) return null
  const from: Span = { before: cursor === null ? '' : shortId(cursor), limit: limit + 1 }
  const newest =
    user === null ? await newestOfAll(redis, keys, from) : await newestOf(redis, keys, user, from)
  const oldest = now === undefined ? 0 : now - days * DAY_MS
  const found = newest.filter(({ at }) => at >= oldest)
  const page = found.slice(0, limit)
  return { entries: page, next: found.length > limit ? (page.at(-1)?.id ?? null) : null }
}

async function newestOf(
  redis: RedisClient,
  keys: RedisKeys,
  user: string,
  { before, limit }: Span,
): Promise<readonly AuditEntry[]> {
  const { tag, hash } = keys.place(user)
  const names = [tag.events + hash, tag.attempts + hash]
  const lists = listsIn(await readOfUser(redis, names, [before, String(limit)]))
  const found = lists.flatMap(inTurn).sort(newestFirst)
  // Another id may have the same hash, if somebody looked for one.
  return found.filter((entry) => entry.user === user)
}

/**
 * Each tag is asked for a few, all at once; then those of which more may be on the page for as many as
 * the page has. So it takes two trips at most.
 */
async function newestOfAll(
  redis: RedisClient,
  keys: RedisKeys,
  span: Span,
): Promise<readonly AuditEntry[]> {
  const few = { ...span, limit: Math.ceil(span.limit / MORE_THAN_EQUAL) }
  const answers = await Promise.all(keys.tags.map((tag) => newestOfTag(redis, tag, few)))
  const last = merged(answers)[span.limit - 1]
  const whole = await Promise.all(
    answers.map((answer, number) => {
      const tag = keys.tags[number]
      const hasEnough = answer.complete || (last !== undefined && isNewer(last, answer.reach))
      return hasEnough || tag === undefined ? answer : newestOfTag(redis, tag, span)
    }),
  )
  return merged(whole).slice(0, span.limit)
}

interface OfTag {
  readonly entries: readonly AuditEntry[]
  /** Whether there are no more. */
  readonly complete: boolean
  /** Of the entries that are newer than this id, none is missing. */
  readonly reach: string
}

async function newestOfTag(
  redis: RedisClient,
  { allEvents, allAttempts, events, attempts }: TagKeys,
  { before, limit }: Span,
): Promise<OfTag> {
  const names = [allEvents, allAttempts, events, attempts]
  const lists = listsIn(await readOfTag(redis, names, [before, String(limit)]))
  const read = lists.map((list) => list.map((text) => decodeEntry(text, null).entry))
  const cut = read.filter((list) => list.length >= limit)
  const reaches = cut.map((list) => list.at(-1)?.id ?? '').sort()
  return { entries: read.flat(), complete: cut.length === 0, reach: reaches.at(-1) ?? '' }
}

function merged(answers: readonly OfTag[]): readonly AuditEntry[] {
  return answers.flatMap(({ entries }) => entries).sort(newestFirst)
}

/** Entries of one list, each with what it has in common with the one before. */
function inTurn(texts: readonly string[]): readonly AuditEntry[] {
  let newer: EntryContext | null = null
  return texts.map((text) => {
    const { entry, context } = decodeEntry(text, newer)
    newer = context
    return entry
  })
}

function listsIn(answer: unknown): readonly (readonly string[])[] {
  if (Array.isArray(answer) && answer.every(Array.isArray)) {
    return answer.map((list) => list.map(String))
  }
  throw new Error('Redis answered nonsense to a list of events')
}

function newestFirst(one: AuditEntry, other: AuditEntry): number {
  if (one.id === other.id) return 0
  return isNewer(one, other.id) ? -1 : 1
}

function isNewer({ id }: AuditEntry, other: string): boolean {
  return id > other
}
