import { parseRecord } from '../domain/parse-record.js'
import type { SecondStepRecord } from '../domain/record.js'
import { keyRing } from '../keys/key-ring.js'
import type { RecordPage } from '../ports/record-store.js'
import type { Sealer } from '../ports/sealer.js'
import { system } from '../ports/system.js'
import type { Config } from './config.js'

const PAGE = 100

/** What a reading of all records has found. */
export interface Findings {
  readonly read: number
  /** One sentence for each record that is not whole. */
  readonly broken: readonly string[]
}

/**
 * Reads every record and, where the keys are given, opens its secrets.
 *
 * @throws anything, where the store does not answer
 */
export async function check({ store, keys }: Config): Promise<Findings> {
  const sealer = keys === null ? null : keyRing(keys, system).sealer
  // As in production: an emptied Redis must not be declared trustworthy by a look at it.
  await store.open?.({ production: true })
  const broken: string[] = []
  let read = 0
  let cursor: string | null = null
  do {
    const page: RecordPage | null = await store.list({
      list: 'all',
      cursor,
      limit: PAGE,
      now: system.now(),
    })
    if (page === null) throw new Error('the store does not know its own cursor')
    for (const record of page.records) {
      read += 1
      const fault = await faultOf(record, sealer)
      if (fault !== null) broken.push(fault)
    }
    cursor = page.next
  } while (cursor !== null)
  return { read, broken }
}

/** What is wrong with a record, or null. */
async function faultOf(stored: SecondStepRecord, sealer: Sealer | null): Promise<string | null> {
  const userId = String(Reflect.get(Object(stored), 'userId'))
  try {
    const { authenticator, setup } = parseRecord(stored, userId)
    if (authenticator !== null) {
      await sealer?.open(authenticator.secret, { purpose: 'authenticator', userId })
    }
    if (setup !== null) await sealer?.open(setup.secret, { purpose: 'setup', userId })
    return null
  } catch (error) {
    return `The record of ${JSON.stringify(userId)} is broken: ${(error as Error).message}`
  }
}
