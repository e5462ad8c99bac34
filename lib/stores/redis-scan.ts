import type { RedisClient } from '../redis/redis-client.js'

/**
 * What follows this start in the names of all keys that have it, some at a time, on every master. A key may
 * be met twice.
 */
export async function* scanKeys(
  redis: RedisClient,
  start: string,
): AsyncGenerator<readonly string[]> {
  const servers = redis.nodes?.('master') ?? [redis]
  const keyPrefix = String(Reflect.get(Object(redis.options), 'keyPrefix') ?? '')
  const pattern = `${globOf(keyPrefix + start)}*`
  for (const server of servers) {
    let cursor = '0'
    do {
      const [next, keys] = await server.scan(cursor, 'MATCH', pattern, 'COUNT', 1000)
      yield keys.map((key) => key.slice(keyPrefix.length + start.length))
      cursor = String(next)
    } while (cursor !== '0')
  }
}

/** A pattern that matches this text alone. */
function globOf(text: string): string {
  return text.replace(/[\\*?[\]^-]/g, '\\$&')
}
