import { once } from 'node:events'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { redisCounters } from '../../lib/limits/redis-counters.js'
import type { Signals } from '../../lib/ports/signals.js'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { makeRedisMarker } from '../../lib/stores/redis-checks.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord } from '../../lib/testing/documents.js'
import {
  type ConnectedClient,
  NODE_REDIS,
  NODE_REDIS_AT_ONCE,
  nodeRedis,
  REDIS_CLIENTS,
} from '../support/redis-clients.js'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.js'
import { rejectionOf } from './rejection.js'

const IDS = Array.from({ length: 40 }, (_, nth) => `user-${nth}`)

describe('a client of a cluster of node-redis', () => {
  let cluster: RedisCluster
  let replica: RedisServer
  let admins: readonly Redis[]
  let clients: readonly (readonly [name: string, client: ConnectedClient])[] = []
  before(async function () {
    this.timeout(60_000)
    cluster = await startRedisCluster()
    replica = await replicaOfFirst(cluster)
    admins = cluster.servers.map(({ url }) => new Redis(url))
    for (const admin of admins) admin.on('error', () => undefined)
    const url = cluster.servers.map((server) => server.url).join(',')
    const connecting = Object.keys(NODE_REDIS).map(async (name) => {
      const client = await REDIS_CLIENTS[name]?.(url)
      if (client === undefined) throw new Error(`there is no client ${name}`)
      return [name, client] as const
    })
    clients = await Promise.all(connecting)
  })
  beforeEach(() => Promise.all(admins.map((admin) => admin.flushall())))
  after(async () => {
    for (const [, { end }] of clients) end()
    for (const admin of admins) admin.disconnect()
    await replica?.stop()
    await cluster?.stop()
  })

  it('opens in production when no master evicts keys, and not when one does', async () => {
    for (const [name, { redis }] of clients) {
      await makeRedisMarker(redis)
      const open = () => redisStore(redis).open?.({ production: true })
      await open()
      await admins[2]?.config('SET', 'maxmemory-policy', 'allkeys-lru')
      expect(await rejectionOf(open()), name).to.be.instanceOf(ConfigurationError)
      await admins[2]?.config('SET', 'maxmemory-policy', 'noeviction')
    }
  })

  it('makes lost lists anew, each from the records of its master', async () => {
    const [[, { redis }] = raise()] = clients
    await makeRedisMarker(redis)
    const store = redisStore(redis)
    for (const id of IDS) await store.write(enrolledRecord(id, 1), 0)
    const { lists } = redisKeys('second-step').place('user-0').tag
    for (const admin of admins) await admin.del(lists.all).catch(() => 0)
    expect(await store.unlisted()).not.to.deep.equal([])
    await store.repair()
    expect(await store.unlisted()).to.deep.equal([])
  })

  it('counts, whichever of the masters has the key', async () => {
    for (const [name, { redis }] of clients) {
      const counters = redisCounters(redis)
      expect(counters, 'no attempt waits for the master of another').not.to.have.property('takeAll')
      for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
        const counter = counters.counter(name, 60)
        expect(await counter.take(key, 1)).to.have.property('taken', true)
        expect(await counter.take(key, 1)).to.have.property('taken', false)
      }
    }
  })

  // An ended session would live on where a replica has not heard of the end; and a login that waits in a queue is
  // answered when nobody knows any more whether it counts.
  it('is refused where it reads from replicas, or queues commands', async () => {
    for (const name of Object.values(NODE_REDIS)) {
      const { createCluster } = await nodeRedis(name)
      const rootNodes = [{ url: 'redis://127.0.0.1:1' }]
      const scaled = createCluster({ rootNodes, useReplicas: true, defaults: NODE_REDIS_AT_ONCE })
      expect(() => redisStore(scaled)).to.throw(ConfigurationError, 'useReplicas')
      const queueing = createCluster({ rootNodes, ...NODE_REDIS_AT_ONCE })
      expect(() => redisCounters(queueing)).to.throw(ConfigurationError, 'in its defaults')
    }
  })

  // Somebody makes a machine fail, and hopes that the app is locked out of its records, or deaf, until it is back.
  it('finds the records, and hears, once a replica has taken over from a master', async () => {
    const stores = clients.map(([, { redis }]) => redisStore(redis))
    const [store] = stores
    await store?.open?.({ production: false })
    for (const id of IDS) await store?.write(enrolledRecord(id, 1), 0)
    // Each on another master, the first among them.
    const listeners = stores.flatMap(({ signals }) => [1, 2, 3].map(() => new Listener(signals)))
    await Promise.all(listeners.map(({ listens }) => listens))
    await caughtUp(replica)
    await cluster.servers[0]?.kill()
    const promoted = new Redis(replica.url)
    await promoted.cluster('FAILOVER', 'TAKEOVER')
    for (const { find } of stores) {
      for (const id of IDS) expect(await eventually(() => find(id))).to.have.property('userId', id)
    }
    while (!listeners.every(({ heard }) => heard === 'users: ann')) {
      await store?.signals?.send('users:', 'ann').catch(() => undefined)
    }
    for (const { listening } of listeners) listening?.close()
    promoted.disconnect()
  }).timeout(60_000)
})

class Listener {
  heard: string | null = null
  readonly listening: { close(): void } | undefined
  readonly listens: Promise<void>

  constructor(signals: Signals | undefined) {
    let missed = () => {}
    this.listens = new Promise((resolve) => {
      missed = resolve
    })
    this.listening = signals?.listen(['users:'], {
      heard: (topic, subject) => {
        this.heard = `${topic} ${subject}`
      },
      missed: () => missed(),
      failed: () => undefined,
    })
  }
}

async function eventually<T>(look: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await look()
    } catch {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

async function replicaOfFirst({ ports }: RedisCluster): Promise<RedisServer> {
  const bus = await freePort()
  const [port = 0] = ports
  const args = ['--cluster-enabled', 'yes', '--cluster-port', String(bus)]
  const server = await startRedisServer({ args })
  const first = new Redis(port, '127.0.0.1')
  const replica = new Redis(server.url)
  const myself = String(await first.cluster('MYID'))
  const [, busOfFirst = ''] = /:\d+@(\d+) myself/.exec(String(await first.cluster('NODES'))) ?? []
  await replica.call('CLUSTER', 'MEET', '127.0.0.1', port, busOfFirst)
  await eventually(() => replica.call('CLUSTER', 'REPLICATE', myself))
  while (!String(await replica.info('replication')).includes('master_link_status:up'));
  first.disconnect()
  replica.disconnect()
  return server
}

/** Resolves once the replica has what the master had a moment before. */
async function caughtUp({ url }: RedisServer): Promise<void> {
  const replica = new Redis(url)
  const keys = redisKeys('second-step')
  await once(replica, 'ready')
  await replica.readonly()
  for (const id of IDS) {
    const { key } = keys.place(id)
    const isThere = () => replica.exists(key).catch(() => 1)
    while ((await isThere()) === 0);
  }
  replica.disconnect()
}

function raise(): never {
  throw new Error('there is no client')
}
