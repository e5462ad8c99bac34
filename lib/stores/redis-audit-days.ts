import type { DayAttempts } from '../ports/audit-log.js'
import { type RedisClient, redisScript } from '../redis/redis-client.js'
import type { RedisKeys } from '../redis/redis-keys.js'

/** More than an overview shows. */
const DAYS = 35

/**
 * Lua that counts an entry among those of its day, which the first characters of its id tell. What is kept of older days goes
 * when there is much of it; by the server's clock, because one process with a wrong one must not empty it.
 */
export const COUNT_DAYS_IN_LUA = `
local function countByDay(key, kind, id, seconds)
  if kind ~= 'C' and kind ~= 'A' then return end
  local ms = 0
  for at = 1, 8 do
    ms = ms * 64 + string.find(DIGITS, string.sub(id, at, at), 1, true) - 1
  end
  redis.call('HINCRBY', key, math.floor(ms / 86400000) .. kind, 1)
  keepFor(key, seconds)
  if redis.call('HLEN', key) <= ${2 * DAYS} then return end
  local oldest = math.floor(tonumber(redis.call('TIME')[1]) / 86400) - ${DAYS}
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if tonumber(string.sub(field, 1, -2)) < oldest then redis.call('HDEL', key, field) end
  end
end
`

const read = redisScript(`return redis.call('HMGET', KEYS[1], ARGV[1], ARGV[2])`)

/** The attempts of a day of everybody, counted as their entries came. */
export async function attemptsOfDay(
  redis: RedisClient,
  { tags }: RedisKeys,
  day: number,
): Promise<DayAttempts> {
  const answers = await Promise.all(
    tags.map(({ days }) => read(redis, [days], [`${day}C`, `${day}A`])),
  )
  const counts = answers.map((answer) => (Array.isArray(answer) ? answer.map(Number) : []))
  const sum = (at: number) => counts.reduce((all, ofTag) => all + (ofTag[at] ?? Number.NaN), 0)
  return { accepted: sum(0), wrong: sum(1) }
}
