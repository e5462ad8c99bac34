import { parseRecord } from '../domain/parse-record.js'
import { keyRing } from '../keys/key-ring.js'
import type { Sealer } from '../ports/sealer.js'
import { system } from '../ports/system.js'
import type { Config } from './config.js'
import { everyRecord, type Listed, lostRecord, userIdOf } from './every-record.js'
import { openPatiently } from './patience.js'
import type { Progress } from './progress.js'

/** What a reading of all records has found. */
export interface Findings {
  readonly read: number
  /** One sentence for each record that is lost or not whole. */
  readonly broken: readonly string[]
}

/**
 * Reads every record and, where the keys are given, opens its secrets.
 *
 * @throws anything, where the store does not answer
 */
export async function check({ store, keys }: Config, progress: Progress): Promise<Findings> {
  const sealer = keys === null ? null : keyRing(keys, system).sealer
  // As in production: an emptied Redis must not be declared trustworthy by a look at it.
  await openPatiently(async () => store.open?.({ production: true }))
  const broken: string[] = []
  let read = 0
  for await (const listed of everyRecord(store)) {
    if (listed.lost === undefined) read += 1
    const fault = await faultOf(listed, sealer)
    if (fault !== null) broken.push(fault)
    progress.step()
  }
  return { read, broken }
}

/** What is wrong with a record, or null. */
async function faultOf(listed: Listed, sealer: Sealer | null): Promise<string | null> {
  if (listed.lost !== undefined) return lostRecord(listed.lost)
  const { stored } = listed
  const userId = userIdOf(stored)
  try {
    const { authenticators, setup } = parseRecord(stored, userId)
    for (const { secret } of authenticators) {
      await sealer?.open(secret, { purpose: 'authenticator', userId })
    }
    if (setup !== null) await sealer?.open(setup.secret, { purpose: 'setup', userId })
    return null
  } catch (error) {
    return `The record of ${JSON.stringify(userId)} is broken: ${(error as Error).message}`
  }
}
