import { expect } from 'chai'
import { Redis } from 'ioredis'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { makeRedisMarker } from '../../lib/stores/redis-checks.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord, thePolicy } from '../../lib/testing/documents.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { rejectionOf } from './rejection.js'

describe('the marker of redisStore', () => {
  let server: RedisServer
  let redis: Redis
  before(async () => {
    server = await startRedisServer()
    redis = new Redis(server.url)
  })
  beforeEach(async () => {
    await redis.flushall()
    await redis.config('SET', 'maxmemory-policy', 'noeviction')
  })
  after(async () => {
    redis.disconnect()
    await server.stop()
  })

  const open = (production: boolean, options = {}) =>
    redisStore(redis, options).open?.({ production })

  it('is made by open outside production', async () => {
    await open(false)
    expect(await redis.keys('second-step:{*}:marker')).to.have.length(64)
    expect(await redis.dbsize()).to.equal(64)
    await open(false)
  })

  it('is never made by open in production, which says how to make it', async () => {
    const error = await rejectionOf(open(true))
    expect(error).to.be.instanceOf(ConfigurationError)
    expect(error.message).to.contain('"npx passport-second-step init"')
    expect(await redis.dbsize()).to.equal(0)
    // Without it the markers would be those of another prefix.
    const ofPrefix = await rejectionOf(open(true, { prefix: 'acme' }))
    expect(ofPrefix.message).to.contain('"npx passport-second-step init --prefix acme"')
  })

  it('is made once by makeRedisMarker, and production opens then', async () => {
    expect(await makeRedisMarker(redis)).to.equal(true)
    expect(await makeRedisMarker(redis)).to.equal(false)
    await open(true)
  })

  it('belongs to its prefix', async () => {
    await makeRedisMarker(redis, { prefix: 'acme' })
    await open(true, { prefix: 'acme' })
    await rejectionOf(open(true))
  })

  for (const prefix of ['', 'a}b', '{a', 'a b', '\n']) {
    it(`cannot have the prefix ${JSON.stringify(prefix)}`, () => {
      expect(() => redisStore(redis, { prefix })).to.throw(ConfigurationError, 'prefix')
    })
  }

  // Redis is emptied while the app runs; whoever knows a password then signs in without a code.
  it('is missing after FLUSHALL: nothing reads as "not enrolled" and nothing makes it anew', async () => {
    const store = redisStore(redis)
    await store.open?.({ production: false })
    await store.write(enrolledRecord('user', 1), 0)
    await redis.flushall()
    expect((await rejectionOf(store.find('user'))).message).to.contain('lost its records')
    await rejectionOf(store.find('somebody else'))
    await rejectionOf(store.findPolicy())
    await rejectionOf(store.write(enrolledRecord('user', 2), 1))
    await rejectionOf(store.write(enrolledRecord('new user', 1), 0))
    await rejectionOf(store.writePolicy(thePolicy.make(1), 0))
    await rejectionOf(store.find('new user'))
    expect(await redis.dbsize()).to.equal(0)
  })

  describe('and the eviction policy in production', () => {
    beforeEach(() => makeRedisMarker(redis))

    // A full cache drops keys: somebody fills Redis until an account's record is gone.
    it('refuses a Redis that evicts keys, whatever the host states', async () => {
      for (const policy of ['allkeys-lru', 'volatile-lru', 'allkeys-random']) {
        await redis.config('SET', 'maxmemory-policy', policy)
        const error = await rejectionOf(open(true))
        expect(error).to.be.instanceOf(ConfigurationError)
        expect(error.message).to.contain(policy).and.contain('noeviction')
        expect(await rejectionOf(open(true, { persistent: true }))).to.be.instanceOf(
          ConfigurationError,
        )
      }
    })

    it('understands a client that answers with RESP3 maps', async () => {
      for (const policy of ['noeviction', 'allkeys-lru']) {
        const config = { value: async () => ({ 'maxmemory-policy': policy }) }
        const client: Redis = Object.create(redis, { config })
        const opening = redisStore(client).open?.({ production: true })
        if (policy === 'noeviction') await opening
        else expect((await rejectionOf(opening)).message).to.contain(policy)
      }
    })

    it('is not asked for outside production', async () => {
      await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
      await open(false)
    })
  })

  describe('and a server that does not tell its eviction policy', () => {
    let silent: RedisServer
    let client: Redis
    before(async () => {
      silent = await startRedisServer({ args: ['--rename-command', 'CONFIG', ''] })
      client = new Redis(silent.url)
      await makeRedisMarker(client)
    })
    after(async () => {
      client.disconnect()
      await silent.stop()
    })

    it('refuses production and names the option', async () => {
      const error = await rejectionOf(redisStore(client).open?.({ production: true }))
      expect(error).to.be.instanceOf(ConfigurationError)
      expect(error.message).to.contain('persistent: true')
    })

    it("takes the host's word", () =>
      redisStore(client, { persistent: true }).open?.({ production: true }))
  })
})
