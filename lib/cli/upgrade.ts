import type { Config } from './config.js'
import { openPatiently } from './patience.js'
import type { Progress } from './progress.js'

/**
 * Moves what version 0.1.0 has left to the keys of this one: the records, and an audit log of its own.
 *
 * @returns what was done, in a sentence
 */
export async function upgrade({ store, audit }: Config, progress: Progress): Promise<string> {
  if (store.upgrade === undefined && audit.upgrade === undefined) {
    throw new Error(
      'This store has no keys of version 0.1.0: only redisStore and redisAuditLog have.',
    )
  }
  await openPatiently(async () => store.count?.())
  const records = (await store.upgrade?.(progress)) ?? null
  let entries = 0
  await openPatiently(async () => {
    entries = (await audit.upgrade?.()) ?? 0
  })
  if (records !== null) return `Moved ${records} records to the keys of this version.`
  return entries > 0
    ? `Moved ${entries} entries of the audit log to the keys of this version.`
    : 'There are no records of version 0.1.0; nothing was changed.'
}
