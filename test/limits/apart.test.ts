// The attack: two apps share a Redis under prefixes of their own, or two tables of users share an app's
// store. Somebody with an account at the one tries passwords, asks for mails and gives wrong codes
// there, and who has the same id or name at the other has no tries and gets no mails any more.

import { once } from 'node:events'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import {
  type Counters,
  type Mail,
  memoryStore,
  redisStore,
  type SecondStepOptions,
} from '../../lib/index.js'
import { memoryCounters } from '../../lib/limits/memory-counters.js'
import { postJson } from '../support/answers.js'
import { type Browser, browserOf, enrol, giveCode, passFirstStep } from '../support/browser.js'
import { type Host, type HostUser, makeHost } from '../support/host.js'
import { lostHost, member } from '../support/lost.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { wrongCodeOf } from '../support/visits.js'

interface App {
  readonly host: Host
  readonly mails: readonly Mail[]
  idle(): Promise<void>
  /** Ann, after the first step. */
  pending(): Promise<Browser>
  wrongCode(): string
}

async function appWith(options: Partial<SecondStepOptions<HostUser>>): Promise<App> {
  const { options: whole, mails, idle } = lostHost(options)
  const host = makeHost({
    ...whole,
    routes: ({ app, passport, secondStep }) => {
      const local = passport.authenticate('local', { successRedirect: '/inside' })
      app.post('/limited', secondStep.limitPassword(), local)
    },
  })
  const enrolment = await enrol(host, member)
  return {
    host,
    mails,
    idle: () => idle(host),
    wrongCode: () => wrongCodeOf(host, enrolment),
    async pending() {
      const browser = browserOf(host)
      await passFirstStep(browser, member).expect(200)
      return browser
    },
  }
}

const tryPassword = ({ host }: App, username: string, password = 'guessed') =>
  browserOf(host).post('/limited').set('Accept', 'application/json').send({ username, password })

async function mailsAfter(app: App, act: () => Promise<unknown>): Promise<number> {
  const before = app.mails.length
  await act()
  await app.idle()
  return app.mails.length - before
}

const askForReset = async (app: App) => {
  await postJson(await app.pending(), '/second-step/lost', { email: member.email })
}

async function useUpLogin(app: App): Promise<void> {
  const browser = await app.pending()
  for (let miss = 0; miss < 5; miss += 1) await giveCode(browser, app.wrongCode()).expect(401)
}

// Their records are in one Redis or two, their counts in one database, whose table has no prefix.
describe('the counts of two apps in one place without a prefix', () => {
  const names: string[] = []
  const all = memoryCounters()
  const counters: Counters = {
    counter(name, seconds) {
      names.push(name)
      return all.counter(name, seconds)
    },
  }
  const app = (prefix: string, options: Partial<SecondStepOptions<HostUser>> = {}) =>
    appWith({ store: { ...memoryStore(), prefix }, counters, ...options })

  it('are apart by the prefix of their records', async () => {
    const [shop, forum] = [await app('shop'), await app('forum')]
    for (let time = 0; time < 10; time += 1) await tryPassword(shop, 'ann').expect(401)
    await tryPassword(shop, 'ann').expect(429)
    await tryPassword(forum, 'ann', member.password).expect(200)
    await Promise.all([shop, forum].map((one) => one.idle()))
  })

  it('keep the prefix that they have, and are apart by realms too', async () => {
    names.length = 0
    await app('shop', { realm: 'staff' })
    expect(names).to.include('{shop}:staff:pending-login')
    expect(names.filter((name) => !name.startsWith('{shop}:staff:'))).to.deep.equal([])
    names.length = 0
    await app('shop', { counters: { ...counters, prefix: 'own' } })
    expect(names.filter((name) => name.includes('shop'))).to.deep.equal([])
  })
})

describe('the limits of two apps', function () {
  this.timeout(60_000)
  let server: RedisServer
  let redis: Redis
  let apps: App[] = []
  before(async () => {
    server = await startRedisServer()
    redis = new Redis(server.url)
    await once(redis, 'ready')
  })
  beforeEach(() => redis.flushall())
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.idle()))
  })
  after(async () => {
    redis.disconnect()
    await server.stop()
  })

  const pairs: Record<string, () => Promise<[App, App]>> = {
    'with prefixes of their own on one Redis': () =>
      both(
        { store: redisStore(redis, { prefix: 'shop' }), redis },
        { store: redisStore(redis, { prefix: 'forum' }), redis },
      ),
    'with prefixes of their own, and no client but the store’s': () =>
      both(
        { store: redisStore(redis, { prefix: 'shop' }) },
        { store: redisStore(redis, { prefix: 'forum' }) },
      ),
    'that are realms of one store': () => {
      const store = redisStore(redis)
      return both({ store, redis }, { store, redis, realm: 'staff' })
    },
    'that are realms of one store, and no client but the store’s': () => {
      const store = redisStore(redis)
      return both({ store, realm: 'shop' }, { store, realm: 'staff' })
    },
  }
  const both = async (
    one: Partial<SecondStepOptions<HostUser>>,
    other: Partial<SecondStepOptions<HostUser>>,
  ): Promise<[App, App]> => {
    const pair: [App, App] = [await appWith(one), await appWith(other)]
    apps = [...pair]
    return pair
  }

  for (const [name, make] of Object.entries(pairs)) {
    describe(name, () => {
      it('count passwords of an account and of an address apart', async () => {
        const [shop, forum] = await make()
        for (let time = 0; time < 10; time += 1) await tryPassword(shop, 'ann').expect(401)
        await tryPassword(shop, 'ann').expect(429)
        await tryPassword(forum, 'ann', member.password).expect(200)
        for (let time = 0; time < 90; time += 1) await tryPassword(shop, `u-${time}`).expect(401)
        await tryPassword(shop, 'somebody').expect(429)
        await tryPassword(forum, 'ann', member.password).expect(200)
      })

      it('count mails apart', async () => {
        const [shop, forum] = await make()
        for (const app of [shop, forum]) {
          expect(await mailsAfter(app, () => askForReset(app))).to.equal(1)
        }
        expect(await mailsAfter(shop, () => askForReset(shop)), 'one in two minutes').to.equal(0)
        for (const app of [shop, forum]) {
          expect(await mailsAfter(app, () => useUpLogin(app))).to.equal(1)
        }
      })

      it('share one app’s counts between its processes, in that Redis', async () => {
        const [shop] = await make()
        await tryPassword(shop, 'ann').expect(401)
        const counts = (await redis.keys('*')).filter((key) => key.includes(':count:'))
        expect(counts.length).to.be.above(1)
      })
    })
  }
})
