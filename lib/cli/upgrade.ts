import type { Config } from './config.js'
import { openPatiently } from './patience.js'
import type { Progress } from './progress.js'

/**
 * Moves the records of version 0.1.0 to the keys of this one.
 *
 * @returns what was done, in a sentence
 */
export async function upgrade({ store }: Config, progress: Progress): Promise<string> {
  if (store.upgrade === undefined) {
    throw new Error('This store has no keys of version 0.1.0: only redisStore has.')
  }
  await openPatiently(async () => store.count?.())
  const moved = await store.upgrade(progress)
  return moved === null
    ? 'There are no records of version 0.1.0; nothing was changed.'
    : `Moved ${moved} records to the keys of this version.`
}
