import { once } from 'node:events'
import { expect } from 'chai'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { portOfNodeRedisSentinel } from '../../lib/redis/node-redis.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord } from '../../lib/testing/documents.js'
import { NODE_REDIS, REDIS_CLIENTS } from '../support/redis-clients.js'
import { type RedisSentinel, startRedisSentinel } from '../support/redis-sentinel.js'
import { rejectionOf } from './rejection.js'

const LIKE_SENTINEL = {
  isReady: true,
  getReplicaNodes: () => new Map<object, number>(),
  getSentinelNode: () => null,
  withTypeMapping: () => null,
  sendCommand: async () => null as unknown,
}

describe('a client of node-redis for what Redis Sentinel watches', function () {
  this.timeout(60_000)
  let sentinel: RedisSentinel
  before(async () => {
    sentinel = await startRedisSentinel()
  })
  after(() => sentinel?.stop())

  // An ended session would live on where the replica has not heard of the end.
  it('is refused where it reads from replicas', () => {
    const replicas = new Map([[{ host: '127.0.0.1', port: 6380 }, 1]])
    const scaled = { ...LIKE_SENTINEL, getReplicaNodes: () => replicas }
    expect(() => redisStore(scaled)).to.throw(ConfigurationError, 'replicaPoolSize')
    expect(() => redisStore(LIKE_SENTINEL)).not.to.throw()
  })

  // A change was refused with 503, and an hour later, when Redis is back, it is made all the same.
  it('sends nothing that has waited for a second', async () => {
    const waiting = {
      ...LIKE_SENTINEL,
      async sendCommand(isReadonly?: boolean, _args?: unknown, options?: object) {
        expect(isReadonly).to.equal(false)
        const { abortSignal } = options as { abortSignal: AbortSignal }
        await once(abortSignal, 'abort')
        throw new Error('The command was aborted')
      },
    }
    const error = await rejectionOf(portOfNodeRedisSentinel(waiting).mget(['key']))
    expect(error.message).to.equal('The command was aborted')
  })

  it('finds the records once the replica is the master', async () => {
    const clients = Object.keys(NODE_REDIS).map((name) => REDIS_CLIENTS[name]?.(sentinel.url))
    const connected = (await Promise.all(clients)).flatMap((one) => one ?? [])
    const stores = connected.map(({ redis }) => redisStore(redis))
    const [store] = stores
    await store?.open?.({ production: false })
    await store?.write(enrolledRecord('user', 1), 0)
    await sentinel.failover()
    for (const [nth, one] of stores.entries()) {
      const write = () => one.write(enrolledRecord('user', 2 + nth), 1 + nth)
      while (!(await write().catch(() => false)));
    }
    expect(await store?.find('user')).to.have.property('version', 1 + stores.length)
    await Promise.all(connected.map(({ end }) => end()))
  })
})
