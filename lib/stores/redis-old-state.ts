import { ConfigurationError } from '../errors/configuration-error.js'
import { oldRedisKeys } from '../redis/old-redis-keys.js'
import { type RedisClient, redisScript } from '../redis/redis-client.js'

/** The last word of the bar in the place of the old marker. */
export const UPGRADED = 'done'

// KEYS: marker, events, attempts, policy, lists.
const look = redisScript(`
local function typeOf(key) return redis.call('TYPE', key).ok end
local function is(kind, wanted) return kind == 'none' or kind == wanted end
local kind = typeOf(KEYS[1])
if not is(kind, 'string') and kind ~= 'list' then return {'wrong', '1'} end
local left = false
for i = 2, #KEYS do
  local wanted = i <= 3 and 'stream' or i == 4 and 'string' or 'zset'
  local found = typeOf(KEYS[i])
  if not is(found, wanted) then return {'wrong', tostring(i)} end
  if i > 3 and found ~= 'none' then left = true end
end
if kind == 'none' then return {left and 'lost' or 'none'} end
local done = kind == 'list' and not left and redis.call('LINDEX', KEYS[1], -1) == '${UPGRADED}'
return {done and 'none' or 'left'}
`)

/**
 * @returns whether records of version 0.1.0 are left to be moved, under their marker or the bar in its place
 * @throws ConfigurationError where their marker is lost, or a key is not of its type
 */
export async function hasOldRecords(
  redis: Pick<RedisClient, 'eval' | 'evalsha'>,
  prefix: string,
): Promise<boolean> {
  const { marker, events, attempts, policy, lists } = oldRedisKeys(prefix)
  const names = [marker, events, attempts, policy, ...lists]
  const answer: unknown = await look(redis, names, [])
  const [state, number = '1'] = Array.isArray(answer) ? answer.map(String) : []
  if (state === 'none') return false
  if (state === 'left') return true
  if (state === 'lost') {
    throw new ConfigurationError(
      `Redis has lists or a policy of version 0.1.0, but no key "${marker}": restore a backup of it. If you have none and the records are complete, SET this key to "policy written" (to "1" if no policy was ever written), then run "npx passport-second-step upgrade --config FILE"`,
    )
  }
  throw new ConfigurationError(
    `the key "${names[Number(number) - 1]}" of version 0.1.0 in Redis has another type than that version gave it: nothing was moved. Restore it from a backup, or DEL it if there is none, and run the command again`,
  )
}

/** @throws ConfigurationError where records of version 0.1.0 are left */
export async function requireNoOldRecords(
  redis: Pick<RedisClient, 'eval' | 'evalsha'>,
  prefix: string,
): Promise<void> {
  if (await hasOldRecords(redis, prefix)) throw notUpgraded()
}

export function notUpgraded(): ConfigurationError {
  return new ConfigurationError(
    'the records in Redis are under the keys of version 0.1.0: stop every process of the app, then run "npx passport-second-step upgrade --config FILE" once',
  )
}
