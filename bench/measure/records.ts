import { randomUUID } from 'node:crypto'
import type { RecordStore } from '../apps/package.js'

const AT_ONCE = 1000

/**
 * Fills a store with records like one that a set-up made.
 *
 * @param like the user whose record it is
 * @param idOf the ids of the others
 */
export async function fill(
  store: RecordStore,
  like: string,
  count: number,
  idOf: (nth: number) => string,
): Promise<void> {
  const found = await store.find(like)
  if (found === null) throw new Error(`${like} has no record`)
  const copy = async (nth: number) => {
    const record = { ...found, userId: idOf(nth), writeId: randomUUID(), version: 1 }
    if (!(await store.write(record, 0))) throw new Error(`${record.userId} has a record already`)
  }
  for (let from = 0; from < count; from += AT_ONCE) {
    const length = Math.min(AT_ONCE, count - from)
    await Promise.all(Array.from({ length }, (_, nth) => copy(from + nth)))
  }
}
