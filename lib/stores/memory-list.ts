import type { SecondStepRecord } from '../domain/record.js'
import { listPlaceOf, type RecordList } from '../domain/record-list.js'
import type { RecordPage, RecordQuery } from '../ports/record-store.js'
import { hashOf, type ListPosition, readCursor, writeCursor } from './list-cursor.js'

/** A page of the records in this process. Looks at all of them: there are few. */
export function memoryPage(
  records: Iterable<SecondStepRecord>,
  { list, cursor, limit, now }: RecordQuery,
): RecordPage | null {
  const after = cursor === null ? null : readCursor(list, cursor)
  if (after === undefined) return null
  const listed = [...records].flatMap((record) => {
    const time = timeInList(record, list, now)
    return time === null ? [] : [{ record, time, key: hashOf(record.userId) }]
  })
  const rest = listed.sort(inOrder).filter((one) => after === null || inOrder(after, one) < 0)
  const page = rest.slice(0, limit)
  const last = rest.length > limit ? page.at(-1) : undefined
  return {
    records: page.map(({ record }) => record),
    next: last === undefined ? null : writeCursor(list, last),
  }
}

/** The time that the list is sorted by, or null for a record that is not in it. */
function timeInList(record: SecondStepRecord, list: RecordList, now: number): number | null {
  const { since, lockedUntil, pausedUntil, mailResetDue } = listPlaceOf(record)
  const locked = lockedUntil !== null && lockedUntil > now
  const paused = !locked && pausedUntil !== null && pausedUntil > now
  const due = mailResetDue !== null && mailResetDue <= now
  if (list === 'all') return 0
  if (list === 'enrolled') return since
  if (list === 'locked') return locked ? lockedUntil : null
  if (list === 'paused') return paused ? pausedUntil : null
  if (list === 'mail-resets-due') return due ? mailResetDue : null
  return locked || paused ? null : since
}

function inOrder(left: ListPosition, right: ListPosition): number {
  return left.time - right.time || (left.key < right.key ? -1 : Number(left.key > right.key))
}
