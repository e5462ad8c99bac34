import { once } from 'node:events'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { memoryCounters } from '../../lib/limits/memory-counters.js'
import { redisCounters } from '../../lib/limits/redis-counters.js'
import type { Counters } from '../../lib/ports/counters.js'
import { rejectionOf } from '../stores/rejection.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'

/** Waits until a window of one second that began before is over. */
const windowEnds = () => new Promise((resolve) => setTimeout(resolve, 1050))

describe('counters', () => {
  let server: RedisServer
  let redis: Redis
  before(async () => {
    server = await startRedisServer()
    redis = new Redis(server.url, { commandTimeout: 200, maxRetriesPerRequest: 1 })
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
      let counters: Counters
      beforeEach(async () => {
        await redis.flushall()
        counters = make()
      })

      const takes = async (times: number, limit: number, window = 60) => {
        const counter = counters.counter('try', window)
        return Promise.all(Array.from({ length: times }, () => counter.take('key', limit)))
      }
      const taken = (answers: readonly { taken: boolean }[]) =>
        answers.filter((answer) => answer.taken).length

      it('lets as many through as the limit says, in parallel too', async () => {
        expect(taken(await takes(50, 5))).to.equal(5)
        expect(taken(await takes(5, 5))).to.equal(0)
      })

      it('says how long to wait, in milliseconds, and nothing to who need not', async () => {
        const answers = await takes(2, 1)
        expect(answers[0]).to.deep.equal({ taken: true, left: 0, retryAfter: 0 })
        expect(answers[1]?.retryAfter).to.be.within(59_000, 60_000)
      })

      it('takes another limit with each call', async () => {
        expect(taken(await takes(5, 3))).to.equal(3)
        expect(taken(await takes(5, 4))).to.equal(1)
        expect(taken(await takes(5, 2))).to.equal(0)
      })

      it('lets nobody through where the limit is 0', async () => {
        const [answer] = await takes(1, 0)
        expect(answer?.taken).to.equal(false)
        expect(answer?.retryAfter).to.be.within(1, 60_000)
      })

      it('gives a place back', async () => {
        const counter = counters.counter('try', 60)
        await counter.take('key', 1)
        await counter.giveBack('key')
        expect((await counter.take('key', 1)).taken).to.equal(true)
        expect((await counter.take('key', 1)).taken).to.equal(false)
      })

      it('keeps no place for calls that were refused', async () => {
        const counter = counters.counter('try', 60)
        await takes(30, 5)
        for (let given = 0; given < 5; given += 1) await counter.giveBack('key')
        expect(taken(await takes(30, 5))).to.equal(5)
      })

      it('counts names and keys apart', async () => {
        for (const key of ['a', 'b', '*', 'a:b', '__proto__', '\n', 'x'.repeat(10_000)]) {
          for (const of of ['one', 'two']) {
            const counter = counters.counter(of, 60)
            expect((await counter.take(key, 1)).taken).to.equal(true)
            expect((await counter.take(key, 1)).taken).to.equal(false)
          }
        }
      })

      it('begins anew when the window is over, and not before', async () => {
        expect(taken(await takes(3, 2, 1))).to.equal(2)
        await windowEnds()
        expect(taken(await takes(3, 2, 1))).to.equal(2)
      })

      // Somebody takes a place, waits for the window's end and gives back: one guess more each time.
      it('gains nothing by giving back after the end of the window', async () => {
        const counter = counters.counter('try', 1)
        for (let times = 0; times < 3; times += 1) await counter.take('key', 3)
        await windowEnds()
        for (let times = 0; times < 3; times += 1) await counter.giveBack('key')
        expect(taken(await takes(10, 3, 1))).to.equal(3)
      })

      it('refuses a window that it cannot keep', () => {
        for (const seconds of [0, -1, 0.5, Number.NaN, 25 * 24 * 60 * 60]) {
          expect(() => counters.counter('try', seconds)).to.throw(RangeError)
        }
      })
    })
  }

  describe('redisCounters', () => {
    beforeEach(() => redis.flushall())

    it('counts for all processes together', async () => {
      const second = new Redis(server.url)
      await once(second, 'ready')
      await redisCounters(redis).counter('try', 60).take('key', 1)
      const answer = await redisCounters(second).counter('try', 60).take('key', 1)
      second.disconnect()
      expect(answer.taken).to.equal(false)
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
      await Promise.all([rejectionOf(counter.take('key', 5)), rejectionOf(counter.giveBack('key'))])
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
      const ready = once(redis, 'ready')
      await server.restart()
      await ready
      expect((await counter.take('key', 5)).taken).to.equal(true)
    })
  })
})
