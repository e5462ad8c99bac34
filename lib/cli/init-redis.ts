import { checkPrefix, DEFAULT_PREFIX } from '../redis/redis-keys.js'
import { makeRedisMarker } from '../stores/redis-checks.js'
import { whatIsKept } from '../stores/redis-keeping.js'
import { type Connecting, loadRedis, type RedisConnection } from './redis-connection.js'

// Without its markers, a Redis that lost its records answers 503: safe, and easily taken for a fault.
const AFTER_A_LOSS =
  'If this Redis had records before, restore its backup instead: from now on nobody in it has a second step.'

/**
 * Makes the markers in a Redis server or, where that belongs to one, in a cluster.
 *
 * @returns what was done, and what the operator should know, a line each
 * @throws Error with a message for the person at the terminal; never shows the URL's password
 */
export async function initRedis(
  url: string,
  prefix = DEFAULT_PREFIX,
  load: () => Promise<Connecting> = loadRedis,
): Promise<string> {
  checkPrefix(prefix)
  const address = addressOf(url)
  const connecting = await load()
  const make = (inCluster: boolean) =>
    makeMarkers(connecting(address, inCluster), { address, prefix })
  const made = await make(false).catch((error: unknown) => {
    if (!isRedirection(error)) throw error
    return make(true)
  })
  return [
    ...(made.now
      ? [`Made the markers of "${prefix}" in Redis at ${address.host}.`, AFTER_A_LOSS]
      : [
          `The markers of "${prefix}" are in Redis at ${address.host} already; nothing was changed.`,
        ]),
    ...made.kept,
  ].join('\n')
}

async function makeMarkers(
  connection: RedisConnection,
  { address, prefix }: { address: URL; prefix: string },
): Promise<{ readonly now: boolean; readonly kept: readonly string[] }> {
  const { redis } = connection
  // connect() itself rejects with "Connection is closed", which does not tell the cause.
  let reason: unknown
  connection.on('error', (error) => {
    reason = error
  })
  try {
    await connection.connect()
    const now = await makeRedisMarker(redis, { prefix })
    // They are made, also where the server answers to nothing else.
    return { now, kept: await whatIsKept(redis).catch(() => []) }
  } catch (cause) {
    if (isRedirection(cause)) throw cause
    const { message } = reason instanceof Error ? reason : (cause as Error)
    throw new Error(`Redis at ${address.host} did not make the markers: ${message}`, { cause })
  } finally {
    connection.end()
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

/** The answer of a cluster's server, for a slot that another server has. */
function isRedirection(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('MOVED ')
}
