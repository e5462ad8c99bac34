import { parseRecord } from '../domain/parse-record.js'
import type { SecondStepRecord } from '../domain/record.js'
import type { RecordPage, RecordStore } from '../ports/record-store.js'
import { system } from '../ports/system.js'
import { noCircle } from '../service/page-by-page.js'
import { messageOf } from './message.js'
import type { Progress } from './progress.js'

const PAGE = 100
const LOST_LIST =
  'The records that were in it are not read, and cannot change: restore a backup, or run "repair".'

/** A record as the store lists it, unchecked, or a sentence about what it has lost. */
type Listed =
  | { readonly stored: SecondStepRecord; readonly lost?: undefined }
  | { readonly stored?: undefined; readonly lost: string }

/** The outcome of a pass over all records. */
export interface Reading {
  readonly read: number
  /** Records of another realm, which are passed over. */
  readonly otherRealms: number
  /** What is said of each record that is lost, damaged or could not be processed, and of each lost list. */
  readonly broken: readonly string[]
}

/**
 * Runs the work on every record. A record that is lost or damaged, or that the work fails on, does
 * not stop the others, nor does a lost list.
 *
 * @param isOurs whether a record is of the app's realm. Those of another may be under other keys
 * @param failure what is said of a record that it fails with, such as `is broken`
 * @throws anything, where the store does not answer
 */
export async function readEveryRecord(
  store: RecordStore,
  progress: Progress,
  isOurs: (userId: string) => boolean,
  failure: string,
  act: (record: SecondStepRecord) => Promise<void>,
): Promise<Reading> {
  progress.begin((await store.count?.()) ?? null)
  const broken: string[] = []
  let [read, otherRealms] = [0, 0]
  for await (const { lost, stored } of everyRecord(store)) {
    progress.step()
    if (lost !== undefined) {
      broken.push(lost)
      continue
    }
    const userId = userIdOf(stored)
    if (!isOurs(userId)) {
      otherRealms += 1
      continue
    }
    read += 1
    try {
      await act(parseRecord(stored, userId))
    } catch (error) {
      broken.push(`The record of ${JSON.stringify(userId)} ${failure}: ${messageOf(error)}`)
    }
  }
  return { read, otherRealms, broken }
}

/** What is said of the records that were passed over, if there are any. */
export function passedOver({ otherRealms }: Reading): readonly string[] {
  return otherRealms === 0 ? [] : [`Passed over ${otherRealms} of another realm.`]
}

async function* everyRecord(store: RecordStore): AsyncGenerator<Listed> {
  const pass = noCircle(() => new Error('the list of the store goes in a circle'))
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
    for (const key of page.lost ?? []) yield { lost: `The record ${key} is lost.` }
    for (const key of page.lostLists ?? []) yield { lost: `The list ${key} is lost. ${LOST_LIST}` }
    cursor = pass(page.next)
  } while (cursor !== null)
}

/** The record's user id, even if nothing else of the record can be read. */
function userIdOf(stored: SecondStepRecord): string {
  return String(Reflect.get(Object(stored), 'userId'))
}
