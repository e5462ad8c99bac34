import { checkNames } from '../errors/check-names.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import type { RedisClient } from './redis-client.js'

/** What a write of Redis waits for before it counts. */
export interface Durability {
  /** How many replicas of its master must have it, 1 to 100. */
  readonly replicas: number
  /** Milliseconds that it waits for them, 1 to 500. Fewer by then are a 503; an idle Redis may be 100 ms late. */
  readonly within: number
}

const MOST = { replicas: 100, within: 500 }

/**
 * @param call the function whose option it is, such as `redisStore`
 * @throws ConfigurationError naming the option and the fix
 */
export function checkDurability(
  given: Durability,
  redis: Pick<RedisClient, 'pipeline'>,
  call: string,
): void {
  const path = `${call}.durability`
  if (typeof given !== 'object' || given === null) {
    throw new ConfigurationError(`\`${path}\` must be like { replicas: 1, within: 50 }`)
  }
  if (redis.pipeline === undefined) {
    throw new ConfigurationError(
      `\`${path}\` needs a client with pipelines, which createSentinel() of node-redis has not: give one of ioredis, with \`sentinels\`, or leave the option out`,
    )
  }
  checkNames(given, Object.keys(MOST), `${path}.`)
  for (const [name, most] of Object.entries(MOST)) {
    const value: unknown = Reflect.get(given, name)
    if (Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= most) continue
    throw new ConfigurationError(`\`${path}.${name}\` must be a whole number from 1 to ${most}`)
  }
}
