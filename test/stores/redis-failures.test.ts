import { once } from 'node:events'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord, thePolicy } from '../../lib/testing/documents.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { warningsDuring } from '../support/warnings.js'
import { rejectionOf } from './rejection.js'

describe('redisStore when Redis fails', () => {
  let server: RedisServer
  let redis: Redis
  beforeEach(async () => {
    server = await startRedisServer()
    redis = new Redis(server.url, {
      // What comes before and after must hold on a busy machine too.
      commandTimeout: 1000,
      maxRetriesPerRequest: 1,
      enableOfflineQueue: false,
      retryStrategy: () => 20,
    })
    redis.on('error', () => undefined)
    await once(redis, 'ready')
  })
  afterEach(async () => {
    redis.disconnect()
    await server.stop()
  })

  async function opened() {
    const store = redisStore(redis)
    await store.open?.({ production: false })
    await store.write(enrolledRecord('user', 1), 0)
    return store
  }

  it('is refused at start-up where it is a replica', async () => {
    await redis.call('replicaof', '127.0.0.1', '1')
    for (const production of [true, false]) {
      const error = await rejectionOf(redisStore(redis).open?.({ production }))
      expect(error).to.be.instanceOf(ConfigurationError)
      expect(error.message).to.contain('replica')
    }
  })

  it('is told of a client that queues for as long as Redis is away', async () => {
    const make = (maxRetriesPerRequest: number | null) => {
      const client = new Redis(server.url, { lazyConnect: true, maxRetriesPerRequest })
      redisStore(client)
      client.disconnect()
    }
    const [bounded, endless] = [
      await warningsDuring(async () => make(20)),
      await warningsDuring(async () => make(null)),
    ]
    expect(bounded).to.deep.equal([])
    expect(endless.join()).to.contain('maxRetriesPerRequest')
  })

  // With Redis away a record that reads as "none" would let the password alone open the account.
  it('rejects every call while it hangs, and works again after', async () => {
    const store = await opened()
    server.pause()
    const calls = [
      store.find('user'),
      store.findPolicy(),
      store.write(enrolledRecord('user', 2), 1),
      store.writePolicy(thePolicy.make(1), 0),
      store.open?.({ production: false }),
      store.open?.({ production: true }),
    ]
    await Promise.all(calls.map(rejectionOf))
    server.resume()
    expect(await store.find('user')).to.have.property('userId', 'user')
  })

  it('rejects every call while it is gone', async () => {
    const store = await opened()
    const closed = once(redis, 'close')
    await server.kill()
    await closed
    await rejectionOf(store.find('user'))
    await rejectionOf(store.findPolicy())
    await rejectionOf(store.write(enrolledRecord('user', 2), 1))
    await rejectionOf(store.open?.({ production: false }))
  })

  it('rejects when it comes back empty, until open was called again', async () => {
    const store = await opened()
    // Not events.once(): it rejects with the refused connections that lie in between.
    const ready = new Promise<void>((resolve) => redis.once('ready', () => resolve()))
    await server.restart()
    await ready
    await rejectionOf(store.find('user'))
    await store.open?.({ production: false })
    expect(await store.find('user')).to.equal(null)
  })
})
