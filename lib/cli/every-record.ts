import type { SecondStepRecord } from '../domain/record.js'
import type { RecordPage, RecordStore } from '../ports/record-store.js'
import { system } from '../ports/system.js'

const PAGE = 100

/** A record as the store lists it, unchecked, or the store's words for one that it has lost. */
export type Listed =
  | { readonly stored: SecondStepRecord; readonly lost?: undefined }
  | { readonly stored?: undefined; readonly lost: string }

/** Every record. @throws anything, where the store does not answer */
export async function* everyRecord(store: RecordStore): AsyncGenerator<Listed> {
  let cursor: string | null = null
  do {
    const page: RecordPage | null = await store.list({
      list: 'all',
      cursor,
      limit: PAGE,
      now: system.now(),
    })
    if (page === null) throw new Error('the store does not know its own cursor')
    for (const stored of page.records) yield { stored }
    for (const lost of page.lost ?? []) yield { lost }
    cursor = page.next
  } while (cursor !== null)
}

/** Whose record it is, also where nothing else of it can be read. */
export function userIdOf(stored: SecondStepRecord): string {
  return String(Reflect.get(Object(stored), 'userId'))
}

export function lostRecord(lost: string): string {
  return `The record ${lost} is lost.`
}
