import { Redis } from 'ioredis'
import { type RedisServer, startRedisServer } from './redis-server.js'

/** A Redis that the tests of one `describe` share. */
export interface RedisOfASuite {
  readonly redis: Redis
  /** Another client of the same server, as another process has. */
  readonly second: Redis
  /** The server's address, from the first test on. */
  url(): string
}

/** To be called in a `describe`: a server of its own until its tests have ended, emptied before each. */
export function redisOfASuite(): RedisOfASuite {
  const clients = [unconnected(), unconnected()] as const
  let server: RedisServer | undefined

  before(async () => {
    server = await startRedisServer()
    for (const client of clients) {
      client.options.port = server.port
      await client.connect()
    }
  })
  beforeEach(() => clients[0].flushall())
  after(async () => {
    for (const client of clients) client.disconnect()
    await server?.stop()
  })

  return {
    redis: clients[0],
    second: clients[1],
    url() {
      if (server === undefined) throw new Error('the server starts before the first test')
      return server.url
    },
  }
}

/** Where its server listens is not known yet. */
function unconnected(): Redis {
  return new Redis({ host: '127.0.0.1', lazyConnect: true })
}
