import { once } from 'node:events'
import { expect } from 'chai'
import { Cluster, Redis } from 'ioredis'
import { blankRecord } from '../../lib/domain/record.js'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { redisCounters } from '../../lib/limits/redis-counters.js'
import { takeEach } from '../../lib/ports/take-each.js'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { redisAuditLog } from '../../lib/stores/redis-audit-log.js'
import { makeRedisMarker } from '../../lib/stores/redis-checks.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord, thePolicy } from '../../lib/testing/documents.js'
import { auditLogCases, recordStoreCases } from '../../lib/testing/index.js'
import { idsIn, NOW } from '../../lib/testing/listed.js'
import { writeOldKeys } from '../support/records-of-version-0-1.js'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js'
import { rejectionOf } from './rejection.js'

const KEYS = redisKeys('second-step')
const blankVersion = (userId: string) => ({ ...blankRecord(userId), version: 1, writeId: 'w' })

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
    const lose = async (userId: string) => redis.del(KEYS.place(userId).key)
    it(name, () => run(() => ({ store: redisStore(redis), another: redisStore(second), lose })))
  }

  async function opened() {
    const store = redisStore(redis)
    await store.open?.({ production: false })
    return store
  }

  it('reads the users of a page in a few writes to each master', async () => {
    const store = await opened()
    const ids = Array.from({ length: 50 }, (_, user) => `user-${user}`)
    for (const id of ids) await store.write({ ...enrolledRecord(id, 1), lockedUntil: NOW + 1 }, 0)
    await onAllMasters('CONFIG', 'RESETSTAT')
    const found = await store.findMany?.(ids)
    expect(found?.every(({ status }) => status === 'fulfilled')).to.equal(true)
    const page = await store.list({ list: 'locked', cursor: null, limit: 100, now: NOW })
    expect(page?.records).to.have.length(50)
    expect(await readsOfMasters()).to.be.lessThan(40)
  })

  /** How many times the masters have found something to read. */
  async function readsOfMasters(): Promise<number> {
    const infos = await Promise.all(redis.nodes('master').map((node) => node.info('stats')))
    const reads = infos.map((info) => Number(/total_reads_processed:(\d+)/.exec(info)?.[1]))
    return reads.reduce((sum, count) => sum + count, 0)
  }

  it('spreads 20,000 records within a tenth over the masters', async () => {
    const store = await opened()
    for (let from = 0; from < 20_000; from += 1000) {
      const ids = Array.from({ length: 1000 }, (_, user) => `user-${from + user}`)
      await Promise.all(ids.map((id) => store.write(blankVersion(id), 0)))
    }
    expect(await store.count?.()).to.equal(20_000)
    const sizes = await Promise.all(redis.nodes('master').map((node) => node.dbsize()))
    for (const size of sizes) expect(size, String(sizes)).to.be.within(6000, 7400)
  })

  it('tells the processes on every node of a change', async () => {
    const { signals } = redisStore(redis)
    let listening: { close(): void } | undefined
    const heard = new Promise<string>((resolve, reject) => {
      listening = signals?.listen(['policy', 'users:'], {
        heard: (topic, subject) => resolve(`${topic} ${subject}`),
        missed: () => redisStore(second).signals?.send('users:', 'ann').catch(reject),
        failed: reject,
      })
    })
    expect(await heard).to.equal('users: ann')
    listening?.close()
  })

  it('reads a page of a long list from one master, by one command', async () => {
    const store = await opened()
    const ids = Array.from({ length: 2000 }, (_, user) => `user-${user}`)
    await Promise.all(ids.map((id) => store.write(enrolledRecord(id, 1), 0)))
    let sent = 0
    const counting = Object.create(redis, {
      evalshaBuffer: {
        value: (...args: Parameters<Cluster['evalsha']>) => {
          sent += 1
          return redis.callBuffer('evalsha', ...args)
        },
      },
    })
    const query = { list: 'enrolled', cursor: null, limit: 10, now: NOW } as const
    expect((await redisStore(counting).list(query))?.records).to.have.length(10)
    expect(sent).to.equal(1)
  })

  // A server of the cluster is replaced by an empty one; whoever knows a password of its users then
  // signs in without a code.
  it('refuses the users of a master that was emptied, and them alone', async () => {
    const store = await opened()
    const ids = Array.from({ length: 60 }, (_, user) => `user-${user}`)
    for (const id of ids) await store.write(enrolledRecord(id, 1), 0)
    await redis.nodes('master')[0]?.flushall()
    const found = await Promise.allSettled(ids.map((id) => store.read?.(id)))
    const refused = found.filter(({ status }) => status === 'rejected').length
    expect(refused).to.be.within(8, 35)
    for (const one of found) {
      if (one.status === 'fulfilled') expect(one.value?.record).to.have.property('version', 1)
    }
    for (const production of [false, true]) {
      const error = await rejectionOf(redisStore(redis).open?.({ production }))
      expect(error).to.be.instanceOf(ConfigurationError)
      expect(error.message).to.contain('markers')
    }
  })

  it('has the policy on every master by the time a change is answered', async () => {
    const store = await opened()
    const policy = thePolicy.make(1)
    await store.writePolicy(policy, 0)
    const ids = Array.from({ length: 60 }, (_, user) => `user-${user}`)
    for (const id of ids) expect((await store.read?.(id))?.policy).to.deep.equal(policy)
  })

  it('takes over what version 0.1.0 has kept in one slot', async () => {
    const ids = Array.from({ length: 300 }, (_, user) => `user-${user}`)
    const records = ids.map((id) => enrolledRecord(id, 2))
    await writeOldKeys(redis, { records, policy: thePolicy.make(1) })
    expect(await redisStore(redis).upgrade()).to.equal(300)
    const store = redisStore(redis)
    await store.open?.({ production: true })
    for (const record of records.slice(0, 50)) {
      expect(await store.find(record.userId)).to.deep.equal(record)
    }
    expect((await idsIn(store, 'enrolled')).sort()).to.deep.equal([...ids].sort())
  })

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

  it('makes lost lists anew, each from the records of its master', async () => {
    await makeRedisMarker(redis)
    const store = redisStore(redis)
    const ids = Array.from({ length: 40 }, (_, nth) => `user-${nth}`)
    for (const id of ids) await store.write(enrolledRecord(id, 1), 0)
    const keys = redisKeys('second-step')
    for (const { lists } of keys.tags) await redis.del(lists.all)
    expect(await store.unlisted()).to.have.length(ids.length)
    const { made, records, lost, left } = await store.repair()
    expect([records, lost, left]).to.deep.equal([ids.length, [], []])
    expect(made).to.have.length(new Set(ids.map((id) => keys.place(id).tag)).size)
    expect(await store.unlisted()).to.deep.equal([])
    expect(await store.count?.()).to.equal(ids.length)
    expect(await store.write(enrolledRecord('user-0', 2), 1)).to.equal(true)
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

  it('refuses a client that pipelines the scripts of several masters together', async () => {
    const pipelining = new Cluster(
      cluster.ports.map((port) => ({ host: '127.0.0.1', port })),
      { enableAutoPipelining: true },
    )
    const open = () => redisStore(pipelining).open?.({ production: false })
    await open()
    const together = redis.pipeline()
    for (const { marker } of KEYS.tags) together.eval('return 1', 1, marker)
    const asBefore = await rejectionOf(together.exec())
    pipelining.eval = () => Promise.reject(asBefore)
    const error = await rejectionOf(open())
    pipelining.disconnect()
    expect(error).to.be.instanceOf(ConfigurationError)
    expect(error.message).to.contain('enableAutoPipelining')
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
    const counters = redisCounters(redis)
    const { counter } = counters
    expect(counters, 'no attempt waits for the master of another').not.to.have.property('takeAll')
    const wanted = ['narrow', 'wide', 'wider'].map((name, nth) => ({
      ...{ name, seconds: 60, key: 'key' },
      limit: 1 + 5 * nth,
    }))
    const answers = await Promise.all([1, 2, 3, 4].map(() => takeEach(counters, wanted, [])))
    const taken = answers.filter((answer) => answer.every((taking) => taking.taken))
    expect(taken).to.have.length(1)
    expect(await counter('wide', 60).taken('key')).to.equal(1)
    await takeEach(counters, [], wanted)
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
