import { isAttempt } from '../domain/event-kind.js'
import { DAY_MS, DAY_S } from '../domain/units.js'
import { checkCall } from '../errors/check-call.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import type { AuditEntry, AuditLog } from '../ports/audit-log.js'
import { type RedisClient, redisScript } from '../redis/redis-client.js'
import { DEFAULT_PREFIX, redisKeys } from '../redis/redis-keys.js'

export interface RedisAuditLogOptions {
  /** The prefix of the keys, in braces. Default `second-step`. */
  readonly prefix?: string
  /**
   * The approximate number of entries to keep: this many changes and accepted codes, and in a
   * separate list as many attempts (wrong codes, refused changes and everything else that needs no
   * second factor). About one user, the log always keeps 1,000 and 100. Default 100,000.
   */
  readonly length?: number
  /** How many days an entry is kept. Default 90. */
  readonly days?: number
}

// More than the 900 in 90 days that need no factor: five resets by mail a day, asked for and cancelled.
const CHANGES_OF_ONE_USER = 1000
// An entry takes about 400 bytes, and somebody who can open accounts can fill these streams for
// each account.
const ATTEMPTS_OF_ONE_USER = 100

// A stream cannot be filtered, so each user has short ones beside those of all: KEYS are
// the two that the entry goes to, then their two siblings. A page merges siblings by their ids, so
// no id may be given twice; Redis makes ids for one stream alone.
const append = redisScript(`
local time = redis.call('TIME')
local ms, seq = time[1] * 1000 + math.floor(time[2] / 1000), 0
for _, key in ipairs(KEYS) do
  local info = redis.call('EXISTS', key) == 1 and redis.call('XINFO', 'STREAM', key) or {}
  for at = 1, #info, 2 do
    if info[at] == 'last-generated-id' then
      local lastMs, lastSeq = string.match(info[at + 1], '(%d+)-(%d+)')
      lastMs, lastSeq = tonumber(lastMs), tonumber(lastSeq)
      if lastMs > ms or (lastMs == ms and lastSeq >= seq) then ms, seq = lastMs, lastSeq + 1 end
    end
  end
end
local id = string.format('%.0f-%.0f', ms, seq)
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], id, 'entry', ARGV[1])
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[4], id, 'entry', ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('XTRIM', KEYS[1], 'MINID', '~', ARGV[3])
redis.call('XTRIM', KEYS[2], 'MINID', ARGV[3])
redis.call('XTRIM', KEYS[3], 'MINID', '~', ARGV[3])
redis.call('XTRIM', KEYS[4], 'MINID', ARGV[3])
return id
`)

const read = redisScript(`
local changes = redis.call('XREVRANGE', KEYS[1], ARGV[1], '-', 'COUNT', ARGV[2])
local attempts = redis.call('XREVRANGE', KEYS[2], ARGV[1], '-', 'COUNT', ARGV[2])
return { changes, attempts }
`)

interface Message {
  readonly id: string
  readonly entry: AuditEntry
}

/**
 * Keeps the audit log in streams of Redis, bounded by age and length, so that it never fills a
 * server whose records must not be lost. Changes have a separate stream from attempts, so that
 * somebody without a second factor cannot push a change out.
 *
 * @throws ConfigurationError for an unknown option, a prefix with braces or blanks
 */
export function redisAuditLog(redis: RedisClient, options: RedisAuditLogOptions = {}): AuditLog {
  checkCall(options, ['prefix', 'length', 'days'], 'redisAuditLog')
  if (typeof redis?.evalsha !== 'function') {
    throw new ConfigurationError('redisAuditLog() needs an ioredis client, such as new Redis(url)')
  }
  const { prefix = DEFAULT_PREFIX, length = 100_000, days = 90 } = options
  for (const [name, value] of Object.entries({ length, days })) {
    if (Number.isSafeInteger(value) && value > 0) continue
    throw new ConfigurationError(`\`redisAuditLog.${name}\` must be a whole number above 0`)
  }
  const keys = redisKeys(prefix)

  async function add(entry: AuditEntry): Promise<void> {
    // No user has the empty id. It stands for events about no single user.
    const user = entry.user ?? ''
    const changes = [keys.events, keys.eventsOf(user)]
    const attempts = [keys.attempts, keys.attemptsOf(user)]
    const attempt = isAttempt(entry)
    const names = attempt ? [...attempts, ...changes] : [...changes, ...attempts]
    const ofOneUser = attempt ? ATTEMPTS_OF_ONE_USER : CHANGES_OF_ONE_USER
    const oldest = Math.max(0, entry.at - days * DAY_MS)
    const limits = [length, oldest, ofOneUser, days * DAY_S].map(String)
    await append(redis, names, [JSON.stringify(entry), ...limits])
  }

  return {
    async append(entries) {
      for (const entry of entries) await add(entry)
    },

    async list({ user, cursor, limit }) {
      if (cursor !== null && !isMessageId(cursor)) return null
      const names =
        user === null ? [keys.events, keys.attempts] : [keys.eventsOf(user), keys.attemptsOf(user)]
      const from = cursor === null ? '+' : `(${cursor}`
      const found = messagesOf(await read(redis, names, [from, String(limit + 1)]))
      const page = found.slice(0, limit)
      const next = found.length > limit ? (page.at(-1)?.id ?? null) : null
      return { entries: page.map(({ entry }) => entry), next }
    },
  }
}

/** A Redis stream id. Its time is never 0, because Redis refuses "before 0-0". */
function isMessageId(cursor: string): boolean {
  return /^[1-9]\d{0,14}-(0|[1-9]\d{0,14})$/.test(cursor)
}

/** The messages of both streams, newest first. */
function messagesOf(answer: unknown): readonly Message[] {
  return listOf(answer).flatMap(listOf).map(messageOf).sort(newestFirst)
}

function listOf(answer: unknown): readonly unknown[] {
  if (Array.isArray(answer)) return answer
  throw new Error('Redis answered nonsense to a list of events')
}

function messageOf(message: unknown): Message {
  const [id, fields] = Array.isArray(message) ? message : []
  const [, entry] = Array.isArray(fields) ? fields : []
  return { id: String(id), entry: JSON.parse(String(entry)) as AuditEntry }
}

function newestFirst(one: Message, other: Message): number {
  const [ms = 0, number = 0] = one.id.split('-').map(Number)
  const [otherMs = 0, otherNumber = 0] = other.id.split('-').map(Number)
  return otherMs - ms || otherNumber - number
}
