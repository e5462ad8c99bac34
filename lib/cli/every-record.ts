import type { SecondStepRecord } from '../domain/record.js'
import type { RecordPage, RecordStore } from '../ports/record-store.js'
import { system } from '../ports/system.js'

const PAGE = 100

/** Every record as the store lists it, unchecked. @throws anything, where the store does not answer */
export async function* everyRecord(store: RecordStore): AsyncGenerator<SecondStepRecord> {
  let cursor: string | null = null
  do {
    const page: RecordPage | null = await store.list({
      list: 'all',
      cursor,
      limit: PAGE,
      now: system.now(),
    })
    if (page === null) throw new Error('the store does not know its own cursor')
    yield* page.records
    cursor = page.next
  } while (cursor !== null)
}

/** Whose record it is, also where nothing else of it can be read. */
export function userIdOf(stored: SecondStepRecord): string {
  return String(Reflect.get(Object(stored), 'userId'))
}
