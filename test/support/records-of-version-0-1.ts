import { createHash } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import { isAttempt } from '../../lib/domain/event-kind.js'
import type { Policy } from '../../lib/domain/policy.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { listPlaceOf } from '../../lib/domain/record-list.js'
import type { AuditEntry } from '../../lib/ports/audit-log.js'

type Client = Pick<Redis | Cluster, 'set' | 'zadd'>

/** Where version 0.1.0 kept the record of a user. */
export function oldKey(userId: string, prefix = 'second-step'): string {
  return `{${prefix}}:record:${oldHash(userId)}`
}

export function oldHash(userId: string): string {
  return createHash('sha256').update(userId).digest('base64url')
}

/** Writes the keys as version 0.1.0 left them in Redis. */
export async function writeOldKeys(
  redis: Client,
  { records, policy = null }: { records: readonly SecondStepRecord[]; policy?: Policy | null },
  prefix = 'second-step',
): Promise<void> {
  const list = (name: string) => `{${prefix}}:list:${name}`
  await redis.set(`{${prefix}}:marker`, policy === null ? '1' : 'policy written')
  if (policy !== null) await redis.set(`{${prefix}}:policy`, JSON.stringify(policy))
  for (const record of records) {
    const hash = oldHash(record.userId)
    const { since, lockedUntil, pausedUntil, mailResetDue } = listPlaceOf(record)
    await redis.set(oldKey(record.userId, prefix), JSON.stringify(record))
    await redis.zadd(list('all'), 0, hash)
    if (since !== null) await redis.zadd(list('enrolled'), since, hash)
    if (lockedUntil !== null) await redis.zadd(list('locked'), lockedUntil, hash)
    if (pausedUntil !== null) await redis.zadd(list('paused'), pausedUntil, hash)
    if (mailResetDue !== null) await redis.zadd(list('mail-resets-due'), mailResetDue, hash)
  }
}

/** Writes the audit log as version 0.1.0 left it in Redis: two streams have each entry. */
export async function writeOldLog(
  redis: Pick<Redis, 'xadd'>,
  entries: readonly AuditEntry[],
  prefix = 'second-step',
): Promise<void> {
  for (const entry of entries) {
    const ofAll = `{${prefix}}:${isAttempt(entry) ? 'attempts' : 'events'}`
    const text = JSON.stringify(entry)
    await redis.xadd(ofAll, '*', 'entry', text)
    await redis.xadd(`${ofAll}:${oldHash(entry.user ?? '')}`, '*', 'entry', text)
  }
}
