// The attack: somebody fills Redis with counters, by a login for another account in each request, until
// it has no memory left and every login is refused.

import { once } from 'node:events'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { type Browser, browserOf } from '../support/browser.js'
import { ann, type Host, makeHost } from '../support/host.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'

const LIMIT = 100
const HERE = '203.0.113.7'

describe('the counters of passwords in Redis', function () {
  this.timeout(60_000)
  let server: RedisServer
  let redis: Redis
  let host: Host
  before(async () => {
    server = await startRedisServer()
    redis = new Redis(server.url)
    await once(redis, 'ready')
    host = makeHost({
      options: { redis },
      routes: ({ app, passport, secondStep }) => {
        app.set('trust proxy', 1)
        const local = passport.authenticate('local', { successRedirect: '/inside' })
        app.post('/limited', secondStep.limitPassword(), local)
      },
    })
  })
  beforeEach(() => redis.flushall())
  after(async () => {
    redis.disconnect()
    await server.stop()
  })

  const tryAs = (browser: Browser, body: object, from = HERE) =>
    browser
      .post('/limited')
      .set('X-Forwarded-For', from)
      .send({ password: 'guessed', ...body })

  it('do not grow after an address is full, whatever accounts it tries', async () => {
    const browser = browserOf(host)
    const answers: number[] = []
    for (let account = 0; account < LIMIT + 50; account += 1) {
      answers.push((await tryAs(browser, { username: `user-${account}` })).status)
      if (account === LIMIT - 1) expect(await redis.dbsize()).to.equal(LIMIT + 1)
    }
    expect(answers.filter((status) => status === 401)).to.have.length(LIMIT)
    expect(answers.slice(LIMIT)).to.deep.equal(Array(50).fill(429))
    expect(await redis.dbsize()).to.equal(LIMIT + 1)
    await tryAs(browser, { username: 'ann', password: ann.password }, '198.51.100.9').expect(302)
  })

  it('are a bounded number for each request, and gone after a quarter of an hour', async () => {
    await tryAs(browserOf(host), { username: 'a', email: 'b' }).query({ username: 'c', email: 'd' })
    const keys = await redis.keys('*')
    expect(keys).to.have.length(5)
    for (const key of keys) expect(await redis.ttl(key), key).to.be.within(1, 15 * 60)
  })
})
