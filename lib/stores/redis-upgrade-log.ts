import type { AuditEntry } from '../ports/audit-log.js'
import { oldRedisKeys } from '../redis/old-redis-keys.js'
import { type RedisClient, redisScript } from '../redis/redis-client.js'
import { redisKeys } from '../redis/redis-keys.js'
import { type AuditBounds, appendAbout } from './redis-audit-append.js'
import { scanKeys } from './redis-scan.js'

const AT_ONCE = 100

const length = redisScript(`return redis.call('XLEN', KEYS[1]) + redis.call('XLEN', KEYS[2])`)
const readStream = redisScript(`return redis.call('XRANGE', KEYS[1], '-', '+')`)
const remove = redisScript(`return redis.call('DEL', KEYS[1])`)

/** How many entries version 0.1.0 has left, or about. */
export async function countOldLog(redis: RedisClient, prefix: string): Promise<number> {
  const { events, attempts } = oldRedisKeys(prefix)
  return Number(await length(redis, [events, attempts], []))
}

/**
 * Moves the audit log of version 0.1.0, a stream for each user, to the lists of today, which take each
 * entry once: it can be stopped at any time and run again. A stream with an entry that cannot be read
 * stays beside the log.
 *
 * @returns how many entries were moved
 */
export async function moveOldLog(
  redis: RedisClient,
  prefix: string,
  bounds: AuditBounds,
): Promise<number> {
  const { events, attempts } = oldRedisKeys(prefix)
  let moved = 0
  for (const stream of [events, attempts]) {
    for await (const hashes of scanKeys(redis, `${stream}:`)) {
      for (const hash of hashes) {
        moved += await moveStream(redis, { prefix, stream: `${stream}:${hash}`, bounds })
      }
    }
  }
  // The streams of everybody have the same entries once more.
  for (const stream of [events, attempts]) await remove(redis, [stream], [])
  return moved
}

async function moveStream(
  redis: RedisClient,
  { prefix, stream, bounds }: { prefix: string; stream: string; bounds: AuditBounds },
): Promise<number> {
  const answer: unknown = await readStream(redis, [stream], [])
  const messages = Array.isArray(answer) ? answer : []
  const entries = messages.flatMap((message) => entryOf(message) ?? [])
  const keys = redisKeys(prefix)
  for (let at = 0; at < entries.length; at += AT_ONCE) {
    await appendAbout(redis, keys, bounds, entries.slice(at, at + AT_ONCE))
  }
  if (entries.length === messages.length) await remove(redis, [stream], [])
  return entries.length
}

function entryOf(message: unknown): AuditEntry | null {
  const [, fields] = Array.isArray(message) ? message : []
  const [, text] = Array.isArray(fields) ? fields : []
  try {
    const entry = JSON.parse(String(text)) as AuditEntry
    return /^[0-9a-f]{30}$/.test(entry.id) ? entry : null
  } catch {
    return null
  }
}
