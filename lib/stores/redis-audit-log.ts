import { checkNames } from '../errors/check-names.js'
import type { AuditEntry, AuditLog } from '../ports/audit-log.js'
import { type RedisClient, redisScript } from './redis-client.js'
import { DEFAULT_PREFIX, redisKeys } from './redis-keys.js'

export interface RedisAuditLogOptions {
  /** What the keys begin with, in braces. Default `second-step`. */
  readonly prefix?: string
  /** How many entries are kept, about; of one user a hundred. Default 100,000. */
  readonly length?: number
  /** How many days an entry is kept. Default 90. */
  readonly days?: number
}

const DAY = 24 * 60 * 60
const OF_ONE_USER = 100

// A stream cannot be filtered, so each user has a short one of his own beside that of all.
const append = redisScript(`
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'entry', ARGV[1])
redis.call('XTRIM', KEYS[1], 'MINID', '~', ARGV[3])
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[4], '*', 'entry', ARGV[1])
redis.call('XTRIM', KEYS[2], 'MINID', ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[5])
return id
`)

const read = redisScript(`
return redis.call('XREVRANGE', KEYS[1], ARGV[1], '-', 'COUNT', ARGV[2])
`)

/**
 * Keeps the audit log in streams of Redis: bounded by age and length, so that it never fills the
 * server whose records must not be lost.
 *
 * @throws ConfigurationError for an unknown option, a prefix with braces or blanks
 */
export function redisAuditLog(redis: RedisClient, options: RedisAuditLogOptions = {}): AuditLog {
  checkNames(options, ['prefix', 'length', 'days'], 'redisAuditLog.')
  const { prefix = DEFAULT_PREFIX, length = 100_000, days = 90 } = options
  const keys = redisKeys(prefix)

  async function add(entry: AuditEntry): Promise<void> {
    // No user has the empty id: it stands for what is nobody's.
    const names = [keys.events, keys.eventsOf(entry.user ?? '')]
    const oldest = Math.max(0, entry.at - days * DAY * 1000)
    const limits = [length, oldest, OF_ONE_USER, days * DAY].map(String)
    await append(redis, names, [JSON.stringify(entry), ...limits])
  }

  return {
    async append(entries) {
      for (const entry of entries) await add(entry)
    },

    async list({ user, cursor, limit }) {
      if (cursor !== null && !/^\d{1,15}-\d{1,15}$/.test(cursor)) return null
      const name = user === null ? keys.events : keys.eventsOf(user)
      const from = cursor === null ? '+' : `(${cursor}`
      const found = messagesOf(await read(redis, [name], [from, String(limit + 1)]))
      const page = found.slice(0, limit)
      const next = found.length > limit ? (page.at(-1)?.id ?? null) : null
      return { entries: page.map(({ entry }) => entry), next }
    },
  }
}

function messagesOf(answer: unknown): readonly { id: string; entry: AuditEntry }[] {
  if (!Array.isArray(answer)) throw new Error('Redis answered nonsense to a list of events')
  return answer.map((message: unknown) => {
    const [id, fields] = Array.isArray(message) ? message : []
    const [, entry] = Array.isArray(fields) ? fields : []
    return { id: String(id), entry: JSON.parse(String(entry)) as AuditEntry }
  })
}
