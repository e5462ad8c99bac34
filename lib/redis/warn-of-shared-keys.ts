import type { AuditLog } from '../ports/audit-log.js'
import type { Counters } from '../ports/counters.js'
import type { RecordStore } from '../ports/record-store.js'
import { DEFAULT_PREFIX } from './redis-keys.js'

interface Parts {
  readonly store: Pick<RecordStore, 'prefix'>
  readonly counters?: Pick<Counters, 'prefix'> | undefined
  readonly audit?: Pick<AuditLog, 'prefix'> | undefined
}

/**
 * An app whose records have a prefix of their own shares its Redis with another. Counters without one take each
 * other's tries, and an audit log without one is that of both: also of a user of the other app with the same id.
 */
export function warnOfSharedKeys({ store: { prefix }, counters, audit }: Parts): void {
  if (prefix === undefined || prefix === DEFAULT_PREFIX) return
  const told = `passport-second-step: the store has the prefix '${prefix}', and`
  const fix = (call: string) => `${call}(redis, { prefix: '${prefix}' }), or leave`
  if (counters?.prefix === DEFAULT_PREFIX) {
    process.emitWarning(
      `${told} the counters have none, so that another app on their Redis takes its tries out of theirs: ` +
        `write counters: ${fix('redisCounters')} \`counters\` out where the store counts in the same Redis`,
    )
  }
  if (audit?.prefix === DEFAULT_PREFIX) {
    process.emitWarning(
      `${told} the audit log has none, so that another app on its Redis shows these events among its own: ` +
        `write audit: ${fix('redisAuditLog')} \`audit\` out where the store logs in the same Redis`,
    )
  }
}
