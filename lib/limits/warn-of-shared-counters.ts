import type { Counters } from '../ports/counters.js'
import type { RecordStore } from '../ports/record-store.js'
import { DEFAULT_PREFIX } from '../redis/redis-keys.js'

/**
 * An app whose records have a prefix of their own shares its Redis with another. Counters without one take each
 * other's tries, also of a user of the other app with the same id.
 */
export function warnOfSharedCounters(
  counters: Counters | undefined,
  { prefix }: Pick<RecordStore, 'prefix'>,
): void {
  if (counters?.prefix !== DEFAULT_PREFIX) return
  if (prefix === undefined || prefix === DEFAULT_PREFIX) return
  process.emitWarning(
    `passport-second-step: the store has the prefix '${prefix}', and the counters have none, so that another app on their ` +
      `Redis takes its tries out of theirs: write counters: redisCounters(redis, { prefix: '${prefix}' }), or leave ` +
      '`counters` out where the store counts in the same Redis',
  )
}
