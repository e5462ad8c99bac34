import type { NodeRedisClient } from './node-redis.js'
import type { RedisSubscriber } from './redis-client.js'

/** What is used of a connection that listens. */
interface Listening {
  connect(): Promise<unknown>
  destroy(): unknown
  on(event: string, listener: (error: unknown) => void): unknown
  subscribe(
    channels: string[],
    listener: (message: unknown, channel: unknown) => void,
  ): Promise<unknown>
}

const PAUSE = 200
const LONGEST_PAUSE = 5000

/**
 * Listens by one connection after another: where one has ended, the next is made, whatever the host's own client does.
 *
 * @param like returns the client that the next one is to be like
 */
export function subscriberOf(like: () => Promise<NodeRedisClient>): RedisSubscriber {
  const listeners = new Map<string, (...args: unknown[]) => void>()
  const tell = (event: string, ...args: unknown[]) => listeners.get(event)?.(...args)
  let current: Listening | undefined
  let pause: ReturnType<typeof setTimeout> | undefined
  let failures = 0
  let isClosed = false

  async function connect(): Promise<void> {
    let client: Listening | undefined
    try {
      const listening = duplicateOf(await like())
      client = listening
      if (isClosed) return
      current = listening
      // It does not connect again: this is its end.
      listening.on('error', (error) => {
        if (current === listening) connectLater(error)
      })
      await listening.connect()
      failures = 0
      tell('ready')
    } catch (error) {
      if (current === client) connectLater(error)
    }
  }

  function connectLater(error: unknown): void {
    if (isClosed) return
    end()
    failures += 1
    pause = setTimeout(connect, Math.min(failures * PAUSE, LONGEST_PAUSE)).unref()
    tell('error', error)
  }

  function end(): void {
    const ended = current
    current = undefined
    try {
      ended?.destroy()
    } catch {
      // Of version 5, where its connection has ended by itself.
    }
  }

  return {
    status: 'wait',
    connect,
    on: (event, listener) => listeners.set(event, listener),
    async subscribe(...channels) {
      await current?.subscribe(channels, (message, channel) => tell('message', channel, message))
    },
    disconnect() {
      isClosed = true
      clearTimeout(pause)
      end()
    },
  }
}

function duplicateOf(client: NodeRedisClient): Listening {
  const { socket } = Object(client.options) as { socket?: object }
  return client.duplicate({
    // It listens for as long as nothing happens.
    socket: { ...socket, socketTimeout: undefined, reconnectStrategy: false },
    clientSideCache: undefined,
    readonly: false,
  }) as Listening
}
