import { parseRecord } from '../domain/parse-record.js'
import type { SecondStepRecord } from '../domain/record.js'
import { keyRing } from '../keys/key-ring.js'
import type { Sealer } from '../ports/sealer.js'
import { system } from '../ports/system.js'
import type { Config } from './config.js'
import { everyRecord, lostRecord, userIdOf } from './every-record.js'
import { KeyUse } from './key-use.js'
import { openPatiently } from './patience.js'
import type { Progress } from './progress.js'

/** What a reading of all records has found. */
export interface Findings {
  readonly read: number
  /** One sentence for each record that is lost or not whole. */
  readonly broken: readonly string[]
  /** Null where the config has no keys. */
  readonly use: KeyUse | null
}

/**
 * Reads every record and, where the keys are given, opens its secrets and notes what needs which key.
 *
 * @throws anything, where the store does not answer
 */
export async function check({ store, keys }: Config, progress: Progress): Promise<Findings> {
  const ring = keys === null ? null : keyRing(keys, system)
  const use = ring === null ? null : new KeyUse(ring.digester.keyIds)
  // As in production: an emptied Redis must not be declared trustworthy by a look at it.
  await openPatiently(async () => store.open?.({ production: true }))
  progress.begin((await store.count?.()) ?? null)
  const broken: string[] = []
  let read = 0
  for await (const { lost, stored } of everyRecord(store)) {
    progress.step()
    if (lost !== undefined) {
      broken.push(lostRecord(lost))
      continue
    }
    read += 1
    const userId = userIdOf(stored)
    try {
      const record = parseRecord(stored, userId)
      const sealedUnder = ring === null ? [] : await openSecrets(record, ring.sealer)
      use?.add(record, sealedUnder, system.now())
    } catch (error) {
      broken.push(`The record of ${JSON.stringify(userId)} is broken: ${(error as Error).message}`)
    }
  }
  return { read, broken, use }
}

/** @returns ids of the keys that the secrets are sealed under */
async function openSecrets(
  { userId, authenticators, setup }: SecondStepRecord,
  sealer: Sealer,
): Promise<readonly string[]> {
  const sealed = [
    ...authenticators.map(({ secret }) => ({ secret, purpose: 'authenticator' }) as const),
    ...(setup === null ? [] : [{ secret: setup.secret, purpose: 'setup' } as const]),
  ]
  const opened = await Promise.all(
    sealed.map(({ secret, purpose }) => sealer.open(secret, { purpose, userId })),
  )
  return opened.map(({ keyId }) => keyId)
}
