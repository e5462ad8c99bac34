import { DAY_MS } from '../domain/units.js'
import type { AuditEntry, AuditPage, AuditQuery } from '../ports/audit-log.js'
import { type RedisClient, redisScript } from '../redis/redis-client.js'
import type { RedisKeys, TagKeys } from '../redis/redis-keys.js'
import {
  decodeEntry,
  type EntryContext,
  ID_LENGTH,
  shortId,
  shortIdOfTime,
} from './redis-audit-entry.js'
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

// KEYS: changes and attempts of everybody under a tag. ARGV as above.
const readReferences = redisScript(`
${AUDIT_LISTS_IN_LUA}
local answer = {}
for list, key in ipairs(KEYS) do
  local from = ARGV[1] == '' and 0 or placeOfOlder(key, ARGV[1])
  answer[list] = redis.call('LRANGE', key, from, from + ARGV[2] - 1)
end
return answer
`)

// KEYS: lists of users under one tag. ARGV: pairs of the number of a list and the short id of an entry in it.
// Answers with whole entries; empty for one that its list does not have any more.
const readEntries = redisScript(`
${AUDIT_LISTS_IN_LUA}
local answer, last = {}, {}
for i = 1, #ARGV, 2 do
  local key, id = KEYS[tonumber(ARGV[i])], ARGV[i + 1]
  -- Mostly it is the one behind the entry that was looked for before.
  local at = last[key] and last[key] + 1 or 0
  local entry = redis.call('LINDEX', key, at)
  if not entry or idOf(entry) ~= id then at = placeOfOlder(key, id) - 1 end
  last[key] = at
  entry = at >= 0 and wholeAt(key, at)
  answer[#answer + 1] = entry and idOf(entry) == id and entry or ''
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
  { user, cursor, limit, now, from: wantedFrom = 0, to }: AuditQuery,
  days: number,
): Promise<AuditPage | null> {
  if (cursor !== null && !/^[0-9a-f]{30}$/.test(cursor)) return null
  const from: Span = { before: startOf(cursor, to), limit: limit + 1 }
  const oldest = Math.max(wantedFrom, now === undefined ? 0 : now - days * DAY_MS)
  const newest =
    user === null
      ? await newestOfAll(redis, keys, from, shortIdOfTime(oldest))
      : await newestOf(redis, keys, user, from)
  const found = newest.filter(({ at }) => at >= oldest)
  const page = found.slice(0, limit)
  return { entries: page, next: found.length > limit ? (page.at(-1)?.id ?? null) : null }
}

/** The short id before which the page begins, or empty. */
function startOf(cursor: string | null, to: number | undefined): string {
  const starts = [
    cursor === null ? [] : shortId(cursor),
    to === undefined ? [] : shortIdOfTime(to + 1),
  ]
  return starts.flat().sort()[0] ?? ''
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

/** What a list of everybody says of an entry. */
interface Reference {
  readonly id: string
  /** The key of the user's list that has it. */
  readonly key: string
  readonly tag: TagKeys
}

/** @param oldest the short id before which nothing is looked for */
async function newestOfAll(
  redis: RedisClient,
  keys: RedisKeys,
  { before, limit }: Span,
  oldest: string,
): Promise<readonly AuditEntry[]> {
  const found: AuditEntry[] = []
  let from = before
  for (;;) {
    const references = await newestReferences(redis, keys, { before: from, limit })
    const inTime = references.filter(({ id }) => id >= oldest)
    found.push(...(await entriesOf(redis, inTime)))
    // Only after damage, or beside a user's next entry, is an entry not where a reference says.
    if (found.length >= limit || inTime.length < limit) return found.slice(0, limit)
    from = inTime.at(-1)?.id ?? ''
  }
}

/**
 * Each tag is asked for a few, all at once; then those of which more may be on the page for as many as
 * the page has. So it takes two trips at most.
 */
async function newestReferences(
  redis: RedisClient,
  { tags }: RedisKeys,
  span: Span,
): Promise<readonly Reference[]> {
  const few = { ...span, limit: Math.ceil(span.limit / MORE_THAN_EQUAL) }
  const answers = await Promise.all(tags.map((tag) => referencesOf(redis, tag, few)))
  const last = merged(answers)[span.limit - 1]?.id ?? ''
  const whole = await Promise.all(
    answers.map((answer) =>
      answer.reach < last || answer.reach === '' ? answer : referencesOf(redis, answer.tag, span),
    ),
  )
  return merged(whole).slice(0, span.limit)
}

interface OfTag {
  readonly tag: TagKeys
  readonly references: readonly Reference[]
  /** Of what is newer than this short id, nothing is missing. Empty: nothing is missing. */
  readonly reach: string
}

async function referencesOf(
  redis: RedisClient,
  tag: TagKeys,
  { before, limit }: Span,
): Promise<OfTag> {
  const names = [tag.allEvents, tag.allAttempts]
  const lists = listsIn(await readReferences(redis, names, [before, String(limit)]))
  const starts = [tag.events, tag.attempts]
  const read = lists.map((list, nth) =>
    list.map((text) => {
      const [id, hash] = [text.slice(0, ID_LENGTH), text.slice(ID_LENGTH)]
      return { id, key: `${starts[nth]}${hash}`, tag }
    }),
  )
  const cut = read.filter((list) => list.length >= limit)
  const reaches = cut.map((list) => list.at(-1)?.id ?? '').sort()
  return { tag, references: read.flat(), reach: reaches.at(-1) ?? '' }
}

function merged(answers: readonly OfTag[]): readonly Reference[] {
  const all = answers.flatMap(({ references }) => references)
  return all.sort((one, other) => (one.id < other.id ? 1 : -1))
}

/** The entries, in their order, by one command a tag. */
async function entriesOf(
  redis: RedisClient,
  references: readonly Reference[],
): Promise<readonly AuditEntry[]> {
  const tags = [...new Set(references.map(({ tag }) => tag))]
  const found = await Promise.all(
    tags.map((tag) =>
      entriesOfTag(
        redis,
        references.filter((one) => one.tag === tag),
      ),
    ),
  )
  return found.flat().sort(newestFirst)
}

async function entriesOfTag(
  redis: RedisClient,
  references: readonly Reference[],
): Promise<readonly AuditEntry[]> {
  const names = [...new Set(references.map(({ key }) => key))]
  const wanted = references.flatMap(({ key, id }) => [String(names.indexOf(key) + 1), id])
  const [texts = []] = listsIn([await readEntries(redis, names, wanted)])
  return texts.filter((text) => text !== '').map((text) => decodeEntry(text, null).entry)
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
  return one.id > other.id ? -1 : 1
}
