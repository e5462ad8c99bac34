import { ConfigurationError } from '../errors/configuration-error.js'
import type { RedisClient } from '../redis/redis-client.js'
import { DEFAULT_PREFIX, type RedisKeys } from '../redis/redis-keys.js'

/** A marker as it is made. Words follow it. */
const MADE = '1'
/**
 * A policy was written. Without this word, a lost policy would look like the default, which requires
 * a second step of nobody.
 */
const POLICY = 'policy'
/** A record was written under this tag. Without it, a lost list of all would look like an empty one. */
const RECORDS = 'records'

/** Lua that reads and writes the words of a marker. */
export const MARKER_IN_LUA = `
local function says(marker, word) return string.find(marker, word, 1, true) ~= nil end
local function note(key, marker, word)
  if not says(marker, word) then redis.call('SET', key, marker .. ' ' .. word) end
end
local POLICY, RECORDS = '${POLICY}', '${RECORDS}'
`

export function saysRecords(marker: string): boolean {
  return marker.includes(RECORDS)
}

export function saysPolicy(marker: string): boolean {
  return marker.includes(POLICY)
}

/**
 * Makes the markers that are missing.
 *
 * @returns whether any was made now
 * @throws ConfigurationError where a part of them is missing that once was there: a server of the
 *   cluster lost its records
 */
export async function makeMarkers(
  redis: Pick<RedisClient, 'mget' | 'set'>,
  keys: RedisKeys,
): Promise<boolean> {
  const missing = await missingMarkers(redis, keys)
  const made = await Promise.all(missing.map((marker) => redis.set(marker, MADE, 'NX')))
  return made.some((answer) => answer !== null)
}

/** The markers of all tags, each by a command of its own: they are in different slots. */
export async function readMarkers(
  redis: Pick<RedisClient, 'mget'>,
  { tags }: RedisKeys,
): Promise<readonly (string | null)[]> {
  const answers = await Promise.all(tags.map(({ marker }) => redis.mget([marker])))
  return answers.map(([marker = null]) => (marker === null ? null : String(marker)))
}

async function missingMarkers(
  redis: Pick<RedisClient, 'mget'>,
  keys: RedisKeys,
): Promise<readonly string[]> {
  const look = async () => {
    const found = await readMarkers(redis, keys)
    const missing = keys.tags.filter((_, number) => found[number] === null)
    return { missing: missing.map(({ marker }) => marker), isNew: found.every(isNew) }
  }
  const { missing, isNew: allNew } = await look()
  if (missing.length === 0 || allNew) return missing
  // Another process may have made them and written records since the first of these commands.
  const again = await look()
  if (again.missing.length === 0) return []
  throw lostMarkers(again.missing)
}

function isNew(marker: string | null): boolean {
  return marker === null || marker === MADE
}

function lostMarkers(missing: readonly string[]): ConfigurationError {
  return new ConfigurationError(
    `Redis has lost ${missing.length} of its markers, "${missing[0]}" among them, and the records beside them: restore a backup`,
  )
}

/** @throws ConfigurationError where a marker is missing */
export function requireMarkers(
  found: readonly (string | null)[],
  { tags }: RedisKeys,
): asserts found is readonly string[] {
  const missing = tags.filter((_, number) => typeof found[number] !== 'string')
  if (missing.length === 0) return
  if (missing.length < tags.length && !found.every((marker) => isNew(marker))) {
    throw lostMarkers(missing.map(({ marker }) => marker))
  }
  const marker = missing[0]?.marker ?? ''
  const prefix = marker.slice(0, Math.max(0, marker.indexOf(':{')))
  const ofPrefix = prefix === DEFAULT_PREFIX ? '' : ` --prefix ${prefix}`
  throw new ConfigurationError(
    `Redis has no key "${marker}": it is new, or it lost its records. Run "npx passport-second-step init${ofPrefix}" once for a new one; restore one that was emptied, or nobody in it has a second step any more`,
  )
}
