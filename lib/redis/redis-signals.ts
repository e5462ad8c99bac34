import type { SignalListener, Signals } from '../ports/signals.js'
import type { RedisClient, RedisSubscriber } from './redis-client.js'

const LONGEST_PAUSE = 5000

/**
 * What differs in a connection that only listens: it waits for as long as it takes, and comes back
 * whatever the host's own client does.
 */
const LISTENING = {
  enableOfflineQueue: true,
  maxRetriesPerRequest: null,
  commandTimeout: undefined,
  socketTimeout: undefined,
  retryStrategy: (times: number) => Math.min(times * 200, LONGEST_PAUSE),
}

/**
 * Signals by PUBLISH, which reaches every node of a cluster. A connection that listens can do nothing else,
 * so it is one of its own.
 *
 * @param prefix of the keys: the channels begin with it
 * @returns undefined for a client without `publish` and `duplicate`
 */
export function redisSignals(redis: RedisClient, prefix: string): Signals | undefined {
  if (typeof redis.publish !== 'function' || typeof redis.duplicate !== 'function') return undefined
  const channelOf = (topic: string) => `${prefix}:changed:${topic}`
  return {
    async send(topic, subject) {
      await redis.publish?.(channelOf(topic), subject)
    },
    listen(topics, listener) {
      const byChannel = new Map(topics.map((topic) => [channelOf(topic), topic]))
      return listening(redis, byChannel, listener)
    },
  }
}

function listening(
  redis: RedisClient,
  topics: ReadonlyMap<string, string>,
  listener: SignalListener,
): { close(): void } {
  const subscriber = duplicateOf(redis)
  subscriber?.on('error', (error) => listener.failed(error))
  subscriber?.on('message', (channel, subject) => {
    const topic = topics.get(String(channel))
    if (topic !== undefined) listener.heard(topic, String(subject))
  })
  subscriber?.on('ready', () => {
    subscriber.subscribe(...topics.keys()).then(
      () => listener.missed(),
      (error: unknown) => listener.failed(error),
    )
  })
  // It has `lazyConnect` from the host's client, and nothing is sent that would connect it.
  if (subscriber?.status === 'wait') subscriber.connect?.().catch(listener.failed)
  return { close: () => subscriber?.disconnect() }
}

/** A cluster's takes its nodes first, and comes back as its host has said. */
function duplicateOf(redis: RedisClient): RedisSubscriber | undefined {
  return redis.nodes === undefined ? redis.duplicate?.(LISTENING) : redis.duplicate?.()
}
