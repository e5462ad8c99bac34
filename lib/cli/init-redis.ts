import { DEFAULT_PREFIX, redisKeys } from '../redis/redis-keys.js'
import { makeRedisMarker } from '../stores/redis-checks.js'

const PATIENCE = 3000

/**
 * Makes the marker in a Redis server or, following its redirection, in a cluster.
 *
 * @returns what was done, in a sentence
 * @throws Error with a message for the person at the terminal; never shows the URL's password
 */
export async function initRedis(url: string, prefix = DEFAULT_PREFIX): Promise<string> {
  const { marker } = redisKeys(prefix)
  const address = addressOf(url)
  const made = await makeMarkerAt(address, prefix).catch((error: unknown) => {
    const elsewhere = redirection(error)
    if (elsewhere === null) throw error
    address.host = elsewhere
    return makeMarkerAt(address, prefix)
  })
  return made
    ? `Made the marker "${marker}" in Redis at ${address.host}.`
    : `The marker "${marker}" is in Redis at ${address.host} already; nothing was changed.`
}

async function makeMarkerAt(address: URL, prefix: string): Promise<boolean> {
  const Redis = await loadRedis()
  const redis = new Redis(address.href, {
    lazyConnect: true,
    connectTimeout: PATIENCE,
    commandTimeout: PATIENCE,
    retryStrategy: () => null,
  })
  // connect() itself rejects with "Connection is closed", which does not tell the cause.
  let reason: unknown
  redis.on('error', (error) => {
    reason = error
  })
  try {
    await redis.connect()
    return await makeRedisMarker(redis, { prefix })
  } catch (cause) {
    if (redirection(cause) !== null) throw cause
    const { message } = reason instanceof Error ? reason : (cause as Error)
    throw new Error(`Redis at ${address.host} did not make the marker: ${message}`, { cause })
  } finally {
    // Closing a connection that has ended keeps the process for two seconds.
    if (redis.status !== 'end') redis.disconnect()
  }
}

async function loadRedis() {
  try {
    const { Redis } = await import('ioredis')
    return Redis
  } catch (cause) {
    throw new Error('init needs ioredis: run "npm install ioredis" first.', { cause })
  }
}

function addressOf(url: string): URL {
  if (!/^rediss?:\/\/./.test(url) || !URL.canParse(url)) {
    throw new Error('The Redis URL must look like redis://127.0.0.1:6379.')
  }
  const address = new URL(url)
  // `redis://app:1/2@host` is read as the host `app`, at port 1.
  const { pathname, search, hash } = address
  if (`${pathname}${search}${hash}`.includes('@')) {
    throw new Error(
      'The Redis URL has an @ behind its host: write / ? and # in a password as %2F, %3F and %23.',
    )
  }
  return address
}

/** The redirection of a cluster's server, for a slot that another server has. */
function redirection(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  return /^MOVED \d+ (\S+)$/.exec(error.message)?.[1] ?? null
}
