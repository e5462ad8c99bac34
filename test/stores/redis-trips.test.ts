// The mistake: a change of the code adds a command to every request, and nobody notices.

import { once } from 'node:events'
import { expect } from 'chai'
import { RedisStore } from 'connect-redis'
import { Redis } from 'ioredis'
import { redisStore } from '../../lib/index.js'
import { makeRedisMarker } from '../../lib/stores/redis-checks.js'
import {
  type Browser,
  browserOf,
  browserWithCookie,
  enrol,
  giveCode,
  passFirstStep,
} from '../support/browser.js'
import { countedRedis, type Sent } from '../support/counted-redis.js'
import { ann, bob, type Host, makeHost } from '../support/host.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'

const eve = { id: 'eve', name: 'Eve', password: 'eve-password' }

describe('what a request sends to Redis', () => {
  let server: RedisServer
  let redis: Redis
  let host: Host
  let sent: (run: () => PromiseLike<unknown>) => Promise<Sent>

  before(async () => {
    server = await startRedisServer()
  })
  after(() => server.stop())

  beforeEach(async () => {
    redis = new Redis(server.url)
    await once(redis, 'ready')
    await redis.flushall()
    await makeRedisMarker(redis)
    host = makeHost({
      users: [ann, bob, eve],
      options: { store: redisStore(redis) },
      sessionStore: new RedisStore({ client: redis }),
      mountFirst: ({ app, secondStep }) => {
        app.post('/limited', secondStep.limitPassword(), (req, res, next) => {
          req.logIn(req.query.username === 'eve' ? eve : bob, (error: unknown) =>
            error ? next(error) : res.json({}),
          )
        })
      },
    })
    // The server gets to know the scripts.
    const { code } = await enrol(host, eve)
    const browser = browserOf(host)
    await passFirstStep(browser, eve)
    await giveCode(browser, '000000')
    await giveCode(browser, code())
    await browserOf(host).post('/limited?username=eve')
    sent = countedRedis(redis)
  })
  afterEach(async () => {
    await host.secondStep.close()
    redis.disconnect()
  })

  async function pendingOf(): Promise<{ browser: Browser; code: string; backupCode: string }> {
    const { code, backupCodes } = await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(200)
    return { browser, code: code(), backupCode: backupCodes[0] ?? '' }
  }

  it('is one command for the guard at a GET, besides those of the session', async () => {
    const browser = browserOf(host)
    await enrol(host, ann, browser)
    const { commands, trips } = await sent(() => browser.get('/inside').expect(200))
    expect(commands).to.deep.equal(['get', 'mget', 'expire'])
    expect(trips).to.equal(3)
  })

  it('is nothing of the guard’s at the GET of a stranger', async () => {
    const { commands } = await sent(() => browserOf(host).get('/inside').expect(401))
    expect(commands).to.deep.equal([])
  })

  it('is one command more than a login saves, up to the second step', async () => {
    await enrol(host, ann)
    const { commands, trips } = await sent(() => passFirstStep(browserOf(host), ann).expect(200))
    expect(commands).to.deep.equal(['evalsha', 'set'])
    expect(trips).to.equal(2)
    const again = await sent(() => passFirstStep(browserWithCookie(host), ann).expect(200))
    expect(again.commands).to.deep.equal(['evalsha', 'del', 'set'])
    expect(again.trips).to.equal(2)
  })

  it('is one command more for a user without one, too', async () => {
    const { commands, trips } = await sent(() => passFirstStep(browserOf(host), bob))
    expect(commands).to.deep.equal(['evalsha', 'set'])
    expect(trips).to.equal(2)
  })

  it('is one trip for limitPassword()', async () => {
    const limited = () => browserOf(host).post('/limited?username=bob').expect(200)
    const plain = await sent(() => passFirstStep(browserOf(host), bob))
    const { commands, trips } = await sent(limited)
    expect(commands.slice(0, 2).sort()).to.deep.equal(['evalsha', 'mget'])
    expect(commands).to.have.length(plain.commands.length + 2)
    expect(trips).to.equal(plain.trips + 1)
  })

  for (const name of ['code of the app', 'backup code']) {
    it(`is a read, the counters, the write and the new session for a right ${name}`, async () => {
      const { browser, code, backupCode } = await pendingOf()
      const right = name === 'backup code' ? backupCode : code
      const { commands, trips } = await sent(() => giveCode(browser, right).expect(200))
      expect(commands).to.deep.equal(['get', 'mget', 'evalsha', 'evalsha', 'del', 'set'])
      expect(trips).to.equal(5)
    })
  }

  it('is a read, the counters, the write and the session’s end for a wrong code', async () => {
    const { browser } = await pendingOf()
    const { commands, trips } = await sent(() => giveCode(browser, '000000').expect(401))
    expect(commands).to.deep.equal(['get', 'mget', 'evalsha', 'evalsha', 'expire'])
    expect(trips).to.equal(5)
  })
})
