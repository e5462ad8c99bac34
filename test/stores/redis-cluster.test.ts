import { once } from 'node:events'
import { expect } from 'chai'
import { Cluster, Redis } from 'ioredis'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { redisCounters } from '../../lib/limits/redis-counters.js'
import { redisAuditLog } from '../../lib/stores/redis-audit-log.js'
import { makeRedisMarker } from '../../lib/stores/redis-checks.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { auditLogCases, recordStoreCases } from '../../lib/testing/index.js'
import { type RedisCluster, startRedisCluster } from './redis-cluster.js'
import { rejectionOf } from './rejection.js'

describe('redisStore on a Redis Cluster of three masters', function () {
  this.timeout(30_000)
  let cluster: RedisCluster
  let redis: Cluster
  let second: Cluster
  before(async () => {
    cluster = await startRedisCluster()
    redis = cluster.client()
    second = cluster.client()
    await redis.ping()
  })
  beforeEach(() => onAllMasters('FLUSHALL'))
  after(async () => {
    redis?.disconnect()
    second?.disconnect()
    await cluster?.stop()
  })

  async function onAllMasters(command: string, ...args: string[]) {
    await Promise.all(redis.nodes('master').map((node) => node.call(command, ...args)))
  }

  for (const { name, run } of recordStoreCases) {
    it(name, () => run(() => ({ store: redisStore(redis), another: redisStore(second) })))
  }

  for (const { name, run } of auditLogCases) {
    it(`the audit log: ${name}`, () => run(() => ({ log: redisAuditLog(redis) })))
  }

  it('works whichever of the masters has the slot', async () => {
    const prefixes = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']
    for (const prefix of prefixes) {
      const store = redisStore(redis, { prefix })
      await store.open?.({ production: false })
      expect(await store.find('user')).to.equal(null)
    }
    const sizes = await Promise.all(redis.nodes('master').map((node) => node.dbsize()))
    expect(
      sizes.every((size) => size > 0),
      String(sizes),
    ).to.equal(true)
  })

  it('writes after every master has forgotten its scripts', async () => {
    const store = redisStore(redis)
    await store.open?.({ production: false })
    await onAllMasters('SCRIPT', 'FLUSH')
    await recordStoreCases[1]?.run(() => ({ store, another: { noneBecause: 'not needed here' } }))
  })

  it('opens in production when no master evicts keys, and not when one does', async () => {
    await makeRedisMarker(redis)
    const open = () => redisStore(redis).open?.({ production: true })
    await open()
    for (const node of redis.nodes('master')) {
      await node.config('SET', 'maxmemory-policy', 'allkeys-lru')
      expect(await rejectionOf(open())).to.be.instanceOf(ConfigurationError)
      await node.config('SET', 'maxmemory-policy', 'noeviction')
    }
    await open()
  })

  it('refuses a client that reads from replicas', async () => {
    const scaled = new Cluster(
      cluster.ports.map((port) => ({ host: '127.0.0.1', port })),
      { scaleReads: 'slave', lazyConnect: true },
    )
    const error = await rejectionOf(redisStore(scaled).open?.({ production: false }))
    scaled.disconnect()
    expect(error).to.be.instanceOf(ConfigurationError)
    expect(error.message).to.contain('scaleReads')
  })

  it('counts, whichever of the masters has the key', async () => {
    const counter = redisCounters(redis).counter('try', 60)
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
      expect(await counter.take(key, 1)).to.deep.equal({ taken: true, left: 0, retryAfter: 0 })
      expect(await counter.take(key, 1)).to.have.property('taken', false)
      await counter.giveBack(key)
      expect(await counter.take(key, 1)).to.have.property('taken', true)
    }
  })

  // The keys of two counters have two slots, and a script has one.
  it('takes the places of two counters, all or none', async () => {
    const { counter, takeAll } = redisCounters(redis)
    const wanted = ['narrow', 'wide', 'wider'].map((name, nth) => ({
      ...{ name, seconds: 60, key: 'key' },
      limit: 1 + 5 * nth,
    }))
    const answers = await Promise.all([1, 2, 3, 4].map(() => takeAll?.(wanted, []) ?? []))
    const taken = answers.filter((answer) => answer.every((taking) => taking.taken))
    expect(taken).to.have.length(1)
    expect(await counter('wide', 60).taken('key')).to.equal(1)
    await takeAll?.([], wanted)
    expect(await counter('wider', 60).taken('key')).to.equal(0)
  })

  it('finds out by itself that an ordinary client leads to a cluster', async () => {
    const [port = 0] = cluster.ports
    const single = new Redis(port, '127.0.0.1')
    await once(single, 'ready')
    const keys = await onePlaceOn(single)
    const { takeAll } = redisCounters(single)
    const wanted = keys.map((key) => ({ name: 'try', seconds: 60, key, limit: 1 }))
    const takings = (await takeAll?.(wanted, [])) ?? []
    const again = (await takeAll?.(wanted, [])) ?? []
    single.disconnect()
    expect(takings.map(({ taken }) => taken)).to.deep.equal([true, true])
    expect(again.map(({ taken }) => taken)).to.deep.equal([false, false])
  })
})

/** Two keys whose counts this master has, in two slots. */
async function onePlaceOn(master: Redis): Promise<readonly string[]> {
  const counter = redisCounters(master).counter('try', 60)
  const found: string[] = []
  for (let key = 0; found.length < 2; key += 1) {
    const here = await counter.taken(`${key}`).then(
      () => true,
      () => false,
    )
    if (here) found.push(`${key}`)
  }
  return found
}
