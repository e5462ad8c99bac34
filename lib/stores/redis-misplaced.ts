import { type RedisArgument, type RedisClient, redisScript } from '../redis/redis-client.js'
import type { TagKeys } from '../redis/redis-keys.js'
import { OTHER_TYPE_IN_LUA, placesIn, rareListsOf } from './redis-repaired-list.js'

const AT_ONCE = 100

// In a list by state that is of another type, no record has its place: a repair removes it first.
// A record that has changed since it was read is none of these: its write has placed it. KEYS: list of all, the
// others, the records. ARGV: whether to place them, then for each record: hash, its places, its bytes.
const compare = redisScript(`
local found = {}
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then return found end
${OTHER_TYPE_IN_LUA}
local lost = {}
for list = 2, 4 do lost[list] = isOther(KEYS[list]) end
for nth = 1, #KEYS - 4 do
  local at = 6 * nth - 4
  local hash = ARGV[at]
  if redis.call('ZSCORE', KEYS[1], hash) and redis.call('GET', KEYS[nth + 4]) == ARGV[at + 5] then
    local differs = false
    for list = 1, 4 do
      local place = ARGV[at + list]
      if lost[list] then differs = true
      elseif tonumber(redis.call('ZSCORE', KEYS[list], hash) or '') ~= tonumber(place) then
        differs = true
        if ARGV[1] == 'place' then
          if place == '' then redis.call('ZREM', KEYS[list], hash)
          else redis.call('ZADD', KEYS[list], place, hash) end
        end
      end
    end
    if differs then found[#found + 1] = hash end
  end
end
return found
`)

/**
 * The hashes of records that the list of all names, and whose places in the lists are not those that a write gives
 * them, as where a list by state was lost, or is of another type. With `place` they are put into these places.
 */
export async function misplaced(
  redis: RedisClient,
  tag: TagKeys,
  hashes: readonly string[],
  todo: 'look' | 'place',
): Promise<readonly string[]> {
  const found: string[] = []
  for (let at = 0; at < hashes.length; at += AT_ONCE) {
    found.push(...(await misplacedIn(redis, tag, hashes.slice(at, at + AT_ONCE), todo)))
  }
  return found
}

async function misplacedIn(
  redis: RedisClient,
  tag: TagKeys,
  hashes: readonly string[],
  todo: 'look' | 'place',
): Promise<readonly string[]> {
  const stored = await redis.mgetBuffer(hashes.map((hash) => tag.records + hash))
  const names = [tag.lists.all, ...rareListsOf(tag)]
  const args: RedisArgument[] = [todo]
  for (const [nth, hash] of hashes.entries()) {
    const key = tag.records + hash
    const bytes = stored[nth] ?? null
    const places = placesIn(key, bytes)
    // What cannot be read is told as broken or lost.
    if (bytes === null || places === null) continue
    names.push(key)
    args.push(hash, ...places, bytes)
  }
  const answer: unknown = await compare(redis, names, args)
  if (Array.isArray(answer)) return answer.map(String)
  throw new Error('Redis answered nonsense to a list')
}
