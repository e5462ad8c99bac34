import type { SecondStepRecord } from '../domain/record.js'
import { keyRing } from '../keys/key-ring.js'
import type { Sealer } from '../ports/sealer.js'
import { system } from '../ports/system.js'
import type { Config } from './config.js'
import { type Reading, readEveryRecord } from './every-record.js'
import { KeyUse } from './key-use.js'
import { openPatiently } from './patience.js'
import type { Progress } from './progress.js'

/** The findings of a pass over all records. */
export interface Findings extends Reading {
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
  // As in production: a mere check must not mark an emptied Redis as trustworthy.
  await openPatiently(async () => store.open?.({ production: true }))
  const reading = await readEveryRecord(store, progress, 'is broken', async (record) => {
    const sealedUnder = ring === null ? [] : await openSecrets(record, ring.sealer)
    use?.add(record, sealedUnder, system.now())
  })
  return { ...reading, use }
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
