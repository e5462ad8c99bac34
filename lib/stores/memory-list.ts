import type { SecondStepRecord } from '../domain/record.js'
import { type ListPlace, listPlaceOf, type RecordList } from '../domain/record-list.js'
import type { RecordPage, RecordQuery } from '../ports/record-store.js'
import { hashOf, type ListPosition, readCursor, writeCursor } from './list-cursor.js'

/** What a list needs to know of a record. */
export interface Placed {
  readonly userId: string
  readonly key: string
  place(): ListPlace
}

/**
 * Noted at each write: lists that read every record each time would take a quarter of a second for 10,000.
 *
 * @param read the record, once, when a list needs its place: a store takes whatever it is given
 */
export function placed(userId: string, read: () => SecondStepRecord): Placed {
  let place: ListPlace | null = null
  return {
    userId,
    key: hashOf(userId),
    place() {
      place ??= listPlaceOf(read())
      return place
    },
  }
}

/** A page of the users in this process. Looks at all of them: there are few. */
export function memoryPage(
  users: Iterable<Placed>,
  { list, cursor, limit, now }: RecordQuery,
): (Pick<RecordPage, 'next'> & { readonly userIds: readonly string[] }) | null {
  const after = cursor === null ? null : readCursor(list, cursor)
  if (after === undefined) return null
  const rest: (ListPosition & { readonly userId: string })[] = []
  for (const user of users) {
    const { userId, key } = user
    const time = timeInList(user, list, now)
    if (time === null) continue
    const position = { userId, key, time }
    if (after === null || inOrder(after, position) < 0) rest.push(position)
  }
  rest.sort(inOrder)
  const page = rest.slice(0, limit)
  const last = rest.length > limit ? page.at(-1) : undefined
  return {
    userIds: page.map(({ userId }) => userId),
    next: last === undefined ? null : writeCursor(list, last),
  }
}

/** The time that the list is sorted by, or null for a record that is not in it. */
function timeInList(user: Placed, list: RecordList, now: number): number | null {
  if (list === 'all') return 0
  const { since, lockedUntil, pausedUntil, mailResetDue } = user.place()
  const locked = lockedUntil !== null && lockedUntil > now
  const paused = !locked && pausedUntil !== null && pausedUntil > now
  const due = mailResetDue !== null && mailResetDue <= now
  if (list === 'enrolled') return since
  if (list === 'locked') return locked ? lockedUntil : null
  if (list === 'paused') return paused ? pausedUntil : null
  if (list === 'mail-resets-due') return due ? mailResetDue : null
  return locked || paused ? null : since
}

function inOrder(left: ListPosition, right: ListPosition): number {
  return left.time - right.time || (left.key < right.key ? -1 : Number(left.key > right.key))
}
