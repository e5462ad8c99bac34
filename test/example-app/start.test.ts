import { expect } from 'chai'
import { runToItsEnd, sharedSecrets, startExampleApp } from '../support/example-app.js'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.js'
import { Visitor } from '../support/visitor.js'

const url = (port: number) => `redis://127.0.0.1:${port}`

describe('The example app at its start', function () {
  this.timeout(30_000)

  it('says where it is, who may sign in and what a restart forgets, and ends when asked to', async () => {
    const app = await startExampleApp()
    try {
      expect(app.output())
        .to.contain(app.url.replace('127.0.0.1', 'localhost'))
        .and.contain('user@example.test / user-password')
        .and.contain('admin@example.test / admin-password')
        .and.contain('Without REDIS_URL a restart forgets everything')
      const visitor = new Visitor(app.url)
      for (const role of ['user', 'admin']) {
        const credentials = { username: `${role}@example.test`, password: `${role}-password` }
        expect((await visitor.postJson('/login', credentials)).status).to.equal(200)
        const { user } = (await visitor.getJson('/account')).body
        expect(user).to.deep.include({ id: `demo-${role}`, roles: [role] })
      }
    } finally {
      expect(await app.stop()).to.equal(0)
    }
  })

  it('refuses production without what makes it safe, in one sentence', async () => {
    const { code, output } = await runToItsEnd({ NODE_ENV: 'production', SESSION_SECRET: 'given' })
    expect(code).to.equal(1)
    expect(output).to.equal('With NODE_ENV=production set REDIS_URL, SECOND_STEP_KEYS too.\n')
  })

  it('refuses to trust every proxy there may be', async () => {
    const { code, output } = await runToItsEnd({ TRUST_PROXY: 'true' })
    expect(code).to.equal(1)
    expect(output).to.contain('give the number of proxies')
  })

  // A setting that was meant for tests would leave every password easy to guess from a copy.
  it('refuses cheap passwords in production, and what is no cost anywhere', async () => {
    const production = {
      NODE_ENV: 'production',
      REDIS_URL: 'redis://127.0.0.1',
      ...sharedSecrets(),
    }
    const cheap = await runToItsEnd({ ...production, PASSWORD_COST: '13' })
    expect(cheap.code).to.equal(1)
    expect(cheap.output).to.equal('With NODE_ENV=production leave PASSWORD_COST out.\n')
    for (const PASSWORD_COST of ['0', '15', 'cheap']) {
      const { code, output } = await runToItsEnd({ PASSWORD_COST })
      expect([code, output]).to.deep.equal([1, 'PASSWORD_COST must be a number from 1 to 14.\n'])
    }
  })

  it('refuses what is no durability', async () => {
    for (const REDIS_DURABILITY of ['1', '1,50,2', 'all,50']) {
      const { code, output } = await runToItsEnd({ REDIS_DURABILITY })
      expect(code).to.equal(1)
      expect(output).to.contain('replicas and milliseconds, such as 1,50')
    }
  })

  it('refuses a client of Redis that it does not have', async () => {
    const { code, output } = await runToItsEnd({ REDIS_CLIENT: 'redis' })
    expect(code).to.equal(1)
    expect(output).to.equal('REDIS_CLIENT must be ioredis or node-redis, not "redis".\n')
  })

  for (const REDIS_CLIENT of ['ioredis', 'node-redis']) {
    it(`says so when Redis is not there, by ${REDIS_CLIENT}`, async () => {
      const [one, other] = [await freePort(), await freePort()]
      for (const REDIS_URL of [url(one), `${url(one)},${url(other)}`]) {
        const { code, output } = await runToItsEnd({ REDIS_URL, REDIS_CLIENT })
        expect(code).to.equal(1)
        const hosts = REDIS_URL.replaceAll('redis://', '').replace(',', ', ')
        expect(output).to.contain(`Redis at ${hosts} does not answer: start it or fix REDIS_URL.`)
      }
    })
  }

  describe('with Redis', () => {
    let redis: RedisServer

    before(async () => {
      redis = await startRedisServer()
    })
    after(() => redis.stop())

    it('says which secrets it made itself and that processes must share them', async () => {
      const app = await startExampleApp({ REDIS_URL: redis.url })
      await app.stop()
      expect(app.output())
        .to.contain('SECOND_STEP_KEYS is not set')
        .and.contain('SESSION_SECRET is not set')
        .and.contain('All processes on one Redis need the same')
        .and.not.contain('Without REDIS_URL')
    })

    it('creates no demo accounts in production', async () => {
      const redisOfItsOwn = await startRedisServer()
      const env = { NODE_ENV: 'production', REDIS_URL: redisOfItsOwn.url, ...sharedSecrets() }
      const app = await startExampleApp(env)
      await app.stop()
      await redisOfItsOwn.stop()
      expect(app.output()).not.to.contain('Demo account')
    })

    it('ends when asked to', async () => {
      const app = await startExampleApp({ REDIS_URL: redis.url })
      expect(await app.stop()).to.equal(0)
    })
  })
})
