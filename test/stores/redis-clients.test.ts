import { expect } from 'chai'
import type { Redis } from 'ioredis'
import { redisCounters } from '../../lib/limits/redis-counters.js'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { redisAuditLog } from '../../lib/stores/redis-audit-log.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord } from '../../lib/testing/documents.js'
import { auditLogCases, counterCases, recordStoreCases } from '../../lib/testing/index.js'
import { connectToRedis, mastersOf, type RedisClient } from '../support/redis.js'
import { type ConnectedClient, REDIS_CLIENTS } from '../support/redis-clients.js'
import { startRedisCluster } from '../support/redis-cluster.js'
import { startRedisSentinel } from '../support/redis-sentinel.js'
import { startRedisServer } from '../support/redis-server.js'
import { rejectionOf } from './rejection.js'

/** The other tests of the stores are run with ioredis 5. */
const OTHERS = Object.entries(REDIS_CLIENTS).filter(([name]) => name !== 'ioredis')
/** What goes wrong in a cluster alone does so the first time. */
const ONCE = recordStoreCases.filter(({ name }) => !/ \d+ times$/.test(name))
/** The server ends a window, whoever asks for it. */
const AT_ONCE = counterCases.filter(({ name }) => !name.includes('window'))

const PLACES = {
  'a Redis': {
    cases: recordStoreCases,
    async start() {
      const { url, stop } = await startRedisServer()
      return { url, servers: url, stop }
    },
  },
  'a Redis Cluster of three masters': {
    cases: ONCE,
    async start() {
      const { servers, stop } = await startRedisCluster()
      const url = servers.map((server) => server.url).join(',')
      return { url, servers: url, stop }
    },
  },
  'what Redis Sentinel watches': {
    cases: ONCE,
    async start() {
      const { url, servers, stop } = await startRedisSentinel()
      return { url, servers: servers[0], stop }
    },
  },
}

for (const [place, { cases, start }] of Object.entries(PLACES)) {
  describe(`in ${place}`, () => {
    let url: string
    let stop: () => Promise<void>
    let admin: RedisClient
    let servers: readonly Redis[]
    before(async () => {
      const started = await start()
      url = started.url
      stop = started.stop
      admin = connectToRedis(started.servers)
      servers = await mastersOf(admin)
    })
    beforeEach(() => Promise.all(servers.map((server) => server.flushall())))
    after(async () => {
      admin?.disconnect()
      await stop?.()
    })

    for (const [name, connect] of OTHERS) {
      describe(`with a client of ${name}`, () => {
        // It has no commands of one connection.
        const without = place.includes('Sentinel') && name.startsWith('node-redis')
        let client: ConnectedClient
        let second: ConnectedClient
        before(async () => {
          client = await connect(url)
          second = await connect(url)
        })
        after(() => {
          client?.end()
          second?.end()
        })

        for (const { name: title, run } of cases) {
          it(`redisStore: ${title}`, () =>
            run(() => ({
              store: redisStore(client.redis),
              another: redisStore(second.redis),
              lose: (userId) => admin.del(redisKeys('second-step').place(userId).key),
            })))
        }
        it(`redisStore and redisCounters: ${without ? 'durability is refused' : 'durability refuses what no replica has'}`, async () => {
          const durability = { replicas: 2, within: 1 }
          if (without) {
            expect(() => redisStore(client.redis, { durability })).to.throw('createSentinel()')
            expect(() => redisCounters(client.redis, { durability })).to.throw('createSentinel()')
            return
          }
          // There is one replica at most.
          const store = redisStore(client.redis, { durability })
          await store.open?.({ production: false })
          const writes = ['one', 'two', 'three'].map((id) => store.write(enrolledRecord(id, 1), 0))
          for (const refused of await Promise.all(writes.map(rejectionOf))) {
            expect(refused.message).to.contain('of 2 replicas')
          }
          const counter = redisCounters(client.redis, { durability }).counter('try', 60)
          expect((await rejectionOf(counter.take('key', 5))).message).to.contain('of 2 replicas')
          expect(await store.find('one')).to.have.property('version', 1)
          expect(await counter.taken('key')).to.equal(1)
        })

        for (const { name: title, run } of auditLogCases) {
          it(`redisAuditLog: ${title}`, () => run(() => ({ log: redisAuditLog(client.redis) })))
        }
        for (const { name: title, run } of AT_ONCE) {
          it(`redisCounters: ${title}`, () =>
            run(() => ({ counters: redisCounters(client.redis) })))
        }
      })
    }
  })
}
