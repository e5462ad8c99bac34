import { once } from 'node:events'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { memoryCounters } from '../../lib/limits/memory-counters.js'
import { redisCounters } from '../../lib/limits/redis-counters.js'
import type { Counters } from '../../lib/ports/counters.js'
import { counterCases } from '../../lib/testing/index.js'
import { rejectionOf } from '../stores/rejection.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'

describe('counters', () => {
  let server: RedisServer
  let redis: Redis
  before(async () => {
    server = await startRedisServer()
    redis = new Redis(server.url, { commandTimeout: 2000, maxRetriesPerRequest: 1 })
    redis.on('error', () => undefined)
    await once(redis, 'ready')
  })
  after(async () => {
    redis.disconnect()
    await server.stop()
  })

  const implementations: readonly [string, () => Counters][] = [
    ['memoryCounters', memoryCounters],
    ['redisCounters', () => redisCounters(redis)],
  ]

  for (const [name, make] of implementations) {
    describe(name, () => {
      for (const one of counterCases) {
        it(one.name, () =>
          one.run(async () => {
            await redis.flushall()
            return { counters: make() }
          }),
        )
      }

      it('refuses a window that it cannot keep', () => {
        for (const seconds of [0, -1, 0.5, Number.NaN, 25 * 24 * 60 * 60]) {
          expect(() => make().counter('try', seconds)).to.throw(RangeError)
        }
      })
    })
  }

  describe('redisCounters', () => {
    beforeEach(() => redis.flushall())

    // The mistake: the server's clock was ahead when somebody typed wrong passwords, or a tool has made
    // the key endless; now the right password is refused for as long as that.
    for (const [name, millis] of [
      ['was dated by a clock ahead', 365 * 24 * 60 * 60 * 1000],
      ['has no end', null],
    ] as const) {
      it(`ends a count that ${name} with a window from now`, async () => {
        const counter = redisCounters(redis).counter('try', 60)
        await counter.take('key', 1)
        const [key = ''] = await redis.keys('*')
        if (millis === null) await redis.persist(key)
        else await redis.pexpire(key, millis)
        const refused = await counter.take('key', 1)
        expect(refused.taken).to.equal(false)
        expect(refused.retryAfter).to.be.within(1, 60_000)
        expect(await redis.pttl(key)).to.be.within(1, 60_000)
      })
    }

    it('counts for all processes together', async () => {
      const second = new Redis(server.url)
      await once(second, 'ready')
      await redisCounters(redis).counter('try', 60).take('key', 1)
      const answer = await redisCounters(second).counter('try', 60).take('key', 1)
      second.disconnect()
      expect(answer.taken).to.equal(false)
    })

    // The mistake: a key that is remembered for one counter is that of another one.
    it('tells counters apart whose names and keys look alike together', async () => {
      const counters = redisCounters(redis)
      expect((await counters.counter('try', 60).take('a:b', 1)).taken).to.equal(true)
      expect((await counters.counter('try:a', 60).take('b', 1)).taken).to.equal(true)
      expect((await counters.counter('try', 60).take('a:b', 1)).taken).to.equal(false)
      expect((await counters.counter('tr', 60).take('y:a:b', 1)).taken).to.equal(true)
    })

    it('remembers no more keys than it has room for, and counts on beyond', async () => {
      const counter = redisCounters(redis).counter('try', 60)
      await Promise.all(Array.from({ length: 1100 }, (_, nth) => counter.take(`key ${nth}`, 1)))
      for (const key of ['key 0', 'key 999', 'key 1099', 'k'.repeat(1000)]) {
        if (key.length > 100) await counter.take(key, 1)
        expect((await counter.take(key, 1)).taken).to.equal(false)
      }
    })

    it('takes and gives back in one round trip each', async () => {
      const counter = redisCounters(redis).counter('try', 60)
      await counter.take('key', 1)
      const scripts = async () =>
        Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('all'))?.[1])
      const before = await scripts()
      await counter.take('key', 1)
      await counter.giveBack('key')
      expect((await scripts()) - before).to.equal(2)
    })

    it('shows no key in Redis, and every count ends by itself', async () => {
      await redisCounters(redis, { prefix: 'acme' }).counter('address', 60).take('192.0.2.1', 5)
      await redisCounters(redis, { prefix: 'acme' }).counter('address', 60).giveBack('192.0.2.2')
      const keys = await redis.keys('*')
      expect(keys).to.have.length(1)
      expect(keys[0]).to.match(/^acme:count:address:[A-Za-z0-9_-]{43}$/)
      expect(await redis.pttl(keys[0] ?? '')).to.be.within(1, 60_000)
    })

    it('works on a server that has forgotten the script', async () => {
      const counter = redisCounters(redis).counter('try', 60)
      await counter.take('key', 1)
      await redis.script('FLUSH')
      expect((await counter.take('key', 1)).taken).to.equal(false)
    })

    // rate-limiter-flexible defines its command on the client: the last script defined would be run.
    it("leaves the host's own limiters on the same client alone, and they it", async () => {
      const counter = redisCounters(redis).counter('try', 60)
      const hosts = new RateLimiterRedis({ storeClient: redis, points: 5, duration: 60 })
      await counter.giveBack('key')
      await counter.take('key', 5)
      await hosts.reward('host', 2)
      expect((await hosts.get('host'))?.consumedPoints).to.equal(-2)
      await counter.giveBack('key')
      await counter.giveBack('key')
      expect((await counter.take('key', 1)).taken).to.equal(true)
      expect((await counter.take('key', 1)).taken).to.equal(false)
    })

    it('connects a client that connects at its first command', async () => {
      const lazy = new Redis(server.url, { lazyConnect: true })
      const answer = await redisCounters(lazy).counter('try', 60).take('key', 1)
      lazy.disconnect()
      expect(answer.taken).to.equal(true)
    })

    // Whoever makes Redis fail must not get attempts without a limit.
    it('rejects while Redis hangs', async () => {
      const counter = redisCounters(redis).counter('try', 60)
      server.pause()
      const calls = [counter.take('key', 5), counter.giveBack('key'), counter.taken('key')]
      await Promise.all(calls.map(rejectionOf))
      server.resume()
      expect((await counter.take('key', 5)).taken).to.equal(true)
    })

    it('rejects at once while Redis is gone, and counts again after', async () => {
      const counter = redisCounters(redis).counter('try', 60)
      const closed = once(redis, 'close')
      await server.kill()
      await closed
      expect((await rejectionOf(counter.take('key', 5))).message).to.contain('not ready')
      await rejectionOf(counter.giveBack('key'))
      await rejectionOf(counter.taken('key'))
      // Not `once`, which rejects where a try to connect fails before the server is back.
      const ready = new Promise((resolve) => redis.once('ready', resolve))
      await server.restart()
      await ready
      expect((await counter.take('key', 5)).taken).to.equal(true)
    })
  })
})
