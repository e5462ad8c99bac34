import type { SecondStepRecord } from '../domain/record.js'
import type { RecordPage, RecordQuery } from '../ports/record-store.js'
import type { RedisClient } from '../redis/redis-client.js'
import { HASH_LENGTH, letterOfTag, type RedisKeys, tagNumberOf } from '../redis/redis-keys.js'
import { sentTogether } from '../redis/sent-together.js'
import { type ListPosition, readCursor, writeCursor } from './list-cursor.js'
import { type ListedBytes, readTagPage, type TagPage } from './redis-list.js'
import { LostRecordError, recordOfBytes } from './redis-lost.js'

/** A page that is being filled. */
interface Filling {
  readonly listed: readonly ListedBytes[]
  /** Cursor's position of the next page; null: not known yet. */
  readonly end: ListPosition | null
  readonly lostLists: readonly string[]
}

/**
 * A page of a list that is kept in parts, one a tag. The tags are read in turn, so that a page of a
 * long list is one command; of a short one the first says how many more are needed, and at last all
 * that remain are asked at once. Never more than three trips. A tag whose list is lost is passed over and named.
 *
 * @returns null for a cursor that was made up
 */
export async function redisPage(
  redis: RedisClient,
  keys: RedisKeys,
  query: RecordQuery,
): Promise<RecordPage | null> {
  const position = query.cursor === null ? null : readCursor(query.list, query.cursor)
  if (position === undefined || (position !== null && !isOurs(position))) return null
  const first = position === null ? 0 : tagNumberOf(position.key)

  let page: Filling = { listed: [], end: null, lostLists: [] }
  let [from, wave] = [first, 1]
  while (page.end === null && from < keys.tags.length) {
    const missing = query.limit - page.listed.length
    const asked = keys.tags.slice(from, from + wave)
    const answers = await sentTogether(
      redis,
      asked,
      (tag) => tag,
      (reads, tag, at) => {
        const after = from === first && at === 0 ? position : null
        const part = { after, limit: Math.max(1, missing), timed: wave > 1 }
        return readTagPage(reads, tag, query, part)
      },
    )
    page = answers.reduce(
      (filled, answer, at) => withTag(filled, answer, { number: from + at, limit: query.limit }),
      page,
    )
    from += asked.length
    wave = wave === 1 ? tagsFor(page.listed.length, query.limit) : keys.tags.length
  }
  const next = page.end === null ? null : writeCursor(query.list, page.end)
  const { listed, lostLists } = page
  return { ...documentsOf(keys, listed), next, ...(lostLists.length === 0 ? {} : { lostLists }) }
}

/** Adds what a tag has, up to the limit. */
function withTag(
  page: Filling,
  { listed: more, end: endInTag, lostList }: TagPage,
  { number, limit }: { number: number; limit: number },
): Filling {
  const { listed, end, lostLists } = page
  if (end !== null) return page
  const room = limit - listed.length
  if (room === 0) {
    const isEmpty = more.length === 0 && endInTag === null && lostList === undefined
    return { ...page, end: isEmpty ? null : startOf(number) }
  }
  if (lostList !== undefined) return { ...page, lostLists: [...lostLists, lostList] }
  const taken = more.slice(0, room)
  const last = taken.at(-1)
  const isCut = taken.length < more.length && last !== undefined
  return { ...page, listed: [...listed, ...taken], end: isCut ? positionOf(last) : endInTag }
}

function positionOf({ key, time }: ListedBytes): ListPosition {
  if (time === null) throw new Error('a page was cut at a member whose time was not asked for')
  return { key, time }
}

/** How many tags are likely to fill a page of which the first tag has so many. */
function tagsFor(found: number, limit: number): number {
  if (found === 0 || found === limit) return Number.MAX_SAFE_INTEGER
  return 1 + 2 * Math.ceil((limit - found) / found)
}

/** Before every member of a tag. */
function startOf(number: number): ListPosition {
  return { time: 0, key: letterOfTag(number).padEnd(HASH_LENGTH, '-') }
}

function isOurs({ key }: ListPosition): boolean {
  return key.length === HASH_LENGTH
}

/** A lost record does not stop the others. */
function documentsOf(keys: RedisKeys, listed: readonly ListedBytes[]): Omit<RecordPage, 'next'> {
  const records: SecondStepRecord[] = []
  const lost: string[] = []
  for (const { key: hash, bytes } of listed) {
    const { key } = keys.placeOfHash(hash)
    try {
      records.push(recordOfBytes(key, bytes) as SecondStepRecord)
    } catch (error) {
      if (!(error instanceof LostRecordError)) throw error
      lost.push(key)
    }
  }
  return { records, ...(lost.length === 0 ? {} : { lost }) }
}
