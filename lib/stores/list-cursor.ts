import { createHash } from 'node:crypto'
import type { RecordList } from '../domain/record-list.js'

/** The end of a page: the time that its list is sorted by (0 for `all`), then the record's key. */
export interface ListPosition {
  readonly time: number
  readonly key: string
}

/** The key of a record, for user ids of any characters and any length. */
export function hashOf(userId: string): string {
  return createHash('sha256').update(userId).digest('hex')
}

/** A position as the port's opaque cursor. It belongs to its list. */
export function writeCursor(list: RecordList, { time, key }: ListPosition): string {
  return Buffer.from(`${list} ${time} ${key}`).toString('base64url')
}

/** @returns undefined for a cursor that `writeCursor` has not made for this list */
export function readCursor(list: RecordList, cursor: string): ListPosition | undefined {
  const text = Buffer.from(cursor, 'base64url').toString()
  const [, digits, key] = /^[a-z-]+ (\d{1,16}) ([\w-]{16,64})$/.exec(text) ?? []
  const time = Number(digits)
  if (key === undefined || !Number.isSafeInteger(time)) return undefined
  const position = { time, key }
  return writeCursor(list, position) === cursor ? position : undefined
}
