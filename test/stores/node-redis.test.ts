import { expect } from 'chai'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { redisCounters } from '../../lib/limits/redis-counters.js'
import type { HostRedis } from '../../lib/redis/host-redis.js'
import { redisAuditLog } from '../../lib/stores/redis-audit-log.js'
import { makeRedisMarker } from '../../lib/stores/redis-checks.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord, thePolicy } from '../../lib/testing/documents.js'
import { writeOldKeys } from '../support/records-of-version-0-1.js'
import { NODE_REDIS_AT_ONCE as AT_ONCE, NODE_REDIS, nodeRedis } from '../support/redis-clients.js'
import { redisOfASuite } from '../support/redis-of-a-suite.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { rejectionOf } from './rejection.js'

/** What a host may have asked for, for its own commands. */
const MAPPED = { 36: Buffer, 43: Buffer, 58: String }

for (const [version, name] of Object.entries(NODE_REDIS)) {
  describe(`a client of ${version}`, () => {
    const { redis: admin, url } = redisOfASuite()
    const open: { close(): void }[] = []
    afterEach(() => {
      for (const one of open.splice(0)) one.close()
    })

    async function connected(options = {}, at = url()) {
      const socket = { reconnectStrategy: () => 20 }
      const { createClient } = await nodeRedis(name)
      const client = createClient({ url: at, socket, ...AT_ONCE, ...options })
      client.on('error', () => undefined)
      await client.connect()
      open.push({ close: () => client.destroy() })
      return client
    }

    it('may answer the host’s own commands with other types', async () => {
      const commandOptions = { typeMapping: MAPPED }
      for (const RESP of [2, 3] as const) {
        await admin.flushall()
        const redis = await connected({ RESP, commandOptions })
        for (const given of [redis, redis.withTypeMapping(MAPPED)]) {
          const store = redisStore(given)
          await store.open?.({ production: false })
          await store.open?.({ production: true })
          const { version = 0 } = (await store.find('user')) ?? {}
          expect(await store.write(enrolledRecord('user', version + 1), version)).to.equal(true)
          expect((await store.read?.('user'))?.record).to.have.property('version', version + 1)
          expect(await store.unlisted()).to.deep.equal([])
        }
        const taken = await redisCounters(redis).counter('try', 60).take('key', 1)
        expect(taken).to.deep.equal({ taken: true, left: 0, retryAfter: 0 })
      }
    })

    it('sends a script to a server that has forgotten it', async () => {
      const store = redisStore(await connected())
      await store.open?.({ production: false })
      await store.write(enrolledRecord('user', 1), 0)
      await admin.script('FLUSH')
      expect(await store.write(enrolledRecord('user', 2), 1)).to.equal(true)
    })

    it('moves the records of version 0.1.0', async () => {
      const records = ['ann', 'bea'].map((id) => enrolledRecord(id, 2))
      await writeOldKeys(admin, { records, policy: thePolicy.make(1) })
      const store = redisStore(await connected())
      expect(await store.upgrade()).to.equal(2)
      expect(await store.find('ann')).to.deep.equal(records[0])
    })

    it('makes the markers, and tells of a server that evicts keys', async () => {
      const redis = await connected()
      const opened = () => redisStore(redis).open?.({ production: true })
      expect((await rejectionOf(opened())).message).to.contain('init')
      expect(await makeRedisMarker(redis)).to.equal(true)
      expect(await makeRedisMarker(redis)).to.equal(false)
      await opened()
      await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
      expect((await rejectionOf(opened())).message).to.contain('allkeys-lru')
      await admin.config('SET', 'maxmemory-policy', 'noeviction')
      await admin.acl('SETUSER', 'default', '-config')
      expect((await rejectionOf(opened())).message).to.contain('persistent: true')
      await redisStore(redis, { persistent: true }).open?.({ production: true })
      await admin.acl('SETUSER', 'default', '+config')
    })

    // A login that waits in the client's queue is answered when nobody knows any more whether it counts.
    it('is refused where it would queue commands while Redis is away', async () => {
      const { createClient } = await nodeRedis(name)
      for (const [caller, make] of makersOf(createClient({ url: url() }))) {
        expect(make, caller).to.throw(ConfigurationError, 'disableOfflineQueue: true')
        expect(make, caller).to.throw(ConfigurationError, caller)
      }
    })

    // The mistake: a cluster's client said "Cannot read properties of undefined (reading 'master')".
    it('is told to connect where nobody has connected it', async () => {
      const { createClient, createCluster, createSentinel } = await nodeRedis(name)
      const root = { host: '127.0.0.1', port: 1 }
      for (const redis of [
        createClient(AT_ONCE),
        createCluster({ rootNodes: [{ socket: root }], defaults: AT_ONCE }),
        createSentinel({ name: 'records', sentinelRootNodes: [root] }),
      ]) {
        const opened = redisStore(redis).open?.({ production: false })
        expect((await rejectionOf(opened)).message).to.contain('await redis.connect()')
        const taken = redisCounters(redis).counter('try', 60).take('key', 1)
        expect((await rejectionOf(taken)).message).to.contain('await redis.connect()')
      }
    })

    it('is no pool of them', async () => {
      const { createClientPool } = await nodeRedis(name)
      for (const [caller, make] of makersOf(createClientPool({ url: url(), ...AT_ONCE }))) {
        expect(make, caller).to.throw(ConfigurationError, `${caller}() needs`)
      }
    })

    describe('whose server fails', () => {
      let server: RedisServer
      beforeEach(async () => {
        server = await startRedisServer()
      })
      afterEach(() => server.stop())

      // With Redis away a record that reads as "none" would let the password alone open the account.
      it('rejects every call at once while it is gone, and when it comes back empty', async () => {
        const redis = await connected({}, server.url)
        const store = redisStore(redis)
        const counter = redisCounters(redis).counter('try', 60)
        await store.open?.({ production: false })
        await store.write(enrolledRecord('user', 1), 0)
        const lost = new Promise<void>((resolve) => redis.once('reconnecting', () => resolve()))
        await server.kill()
        await lost
        await rejectionOf(store.find('user'))
        await rejectionOf(store.findPolicy())
        await rejectionOf(store.write(enrolledRecord('user', 2), 1))
        await rejectionOf(store.open?.({ production: false }))
        expect((await rejectionOf(counter.take('key', 1))).message).to.contain('not ready')
        const ready = new Promise<void>((resolve) => redis.once('ready', () => resolve()))
        await server.restart()
        await ready
        expect((await rejectionOf(store.find('user'))).message).to.contain('lost its records')
        expect(await counter.take('key', 1)).to.have.property('taken', true)
      })

      // A session that one process has ended must not live on in another that was cut off meanwhile.
      it('listens again, and says that it may have missed something', async () => {
        const redis = await connected({}, server.url)
        const { signals } = redisStore(redis)
        const heard = new Told<string>()
        const missed = new Told<null>()
        const listening = signals?.listen(['policy', 'users:'], {
          heard: (topic, subject) => heard.tell(`${topic} ${subject}`),
          missed: () => missed.tell(null),
          failed: () => undefined,
        })
        if (listening !== undefined) open.push(listening)
        await missed.next()
        await signals?.send('users:', 'ann')
        expect(await heard.next()).to.equal('users: ann')
        await redis.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub'])
        await missed.next()
        await signals?.send('policy', '')
        await signals?.send('users:', 'bea')
        expect([await heard.next(), await heard.next()]).to.deep.equal(['policy ', 'users: bea'])
        listening?.close()
        await noListeners(redis)
      })
    })
  })
}

// Two apps that have a keyPrefix each would open each other's accounts.
it('a client of node-redis 6 with keyPrefix is refused: it does not reach scripts', async () => {
  const { createClient } = await nodeRedis('redis')
  for (const [caller, make] of makersOf(createClient({ keyPrefix: 'acme:', ...AT_ONCE }))) {
    expect(make, caller).to.throw(ConfigurationError, 'keyPrefix')
  }
})

function makersOf(redis: HostRedis): readonly (readonly [caller: string, make: () => unknown])[] {
  return [
    ['redisStore', () => redisStore(redis)],
    ['redisCounters', () => redisCounters(redis)],
    ['redisAuditLog', () => redisAuditLog(redis)],
  ]
}

async function noListeners(redis: { sendCommand(args: string[]): Promise<unknown> }) {
  const count = async () => String(await redis.sendCommand(['PUBSUB', 'CHANNELS']))
  while ((await count()) !== '') await new Promise((resolve) => setImmediate(resolve))
}

/** What is told one after the other, and can be awaited. */
class Told<T> {
  readonly #told: T[] = []
  #wake: () => void = () => undefined

  tell(one: T): void {
    this.#told.push(one)
    this.#wake()
  }

  async next(): Promise<T> {
    while (this.#told.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#told.shift() as T
  }
}
