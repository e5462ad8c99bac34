// The attacks: a session that one process has ended lives on in the others; and somebody who can publish in this
// Redis makes them open something, or floods them.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { expect } from 'chai'
import { RedisStore } from 'connect-redis'
import { Redis } from 'ioredis'
import { redisStore } from '../../lib/index.js'
import { browserOf, enrol, giveCode, passFirstStep } from '../support/browser.js'
import { countedRedis } from '../support/counted-redis.js'
import { ann, type Host, makeHost } from '../support/host.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { cookieOf, useCookie } from '../support/sessions.js'

/** A process of the app, with the connection that it listens on. */
interface Process {
  readonly channel: string
  readonly host: Host
  readonly redis: Redis
  /** Resolves at the next message that it hears. */
  heard(): Promise<unknown>
  /** Resolves when it hears of this one. */
  heardOf(subject: string): Promise<void>
  /** Resolves once it listens, also again after its connection was lost. */
  listening(): Promise<void>
  /** Ends its connection for good, as a network does that drops what is sent. */
  deaf(): void
}

describe('what processes tell each other over Redis', () => {
  const keys = [randomBytes(32).toString('base64')]
  let server: RedisServer
  let admin: Redis
  let running: Process[] = []

  before(async () => {
    server = await startRedisServer()
    admin = new Redis(server.url)
  })
  after(async () => {
    admin.disconnect()
    await server.stop()
  })
  beforeEach(async () => {
    await admin.flushall()
  })
  afterEach(async () => {
    for (const { host, redis } of running) {
      await host.secondStep.close()
      redis.disconnect()
    }
    running = []
  })

  /** Listens before anything else: what is heard first is heard by the package, and then by the test. */
  async function start(
    given: {
      system?: Host['system']
      realm?: string
      prefix?: string
      strict?: true
      lazyConnect?: true
    } = {},
  ): Promise<Process> {
    const { lazyConnect = false } = given
    const redis = new Redis(server.url, { lazyConnect })
    await (lazyConnect ? redis.connect() : once(redis, 'ready'))
    const duplicates: Redis[] = []
    const duplicate = redis.duplicate.bind(redis)
    redis.duplicate = (override) => {
      const made = duplicate(override)
      duplicates.push(made)
      return made
    }
    const { prefix = 'second-step', realm, strict, system } = given
    const store = redisStore(redis, { prefix })
    const host = makeHost({
      options: {
        ...{ keys, store },
        ...(strict ? {} : { revocation: { within: '1s' } }),
        ...(realm === undefined ? {} : { realm }),
      },
      ...(system === undefined ? {} : { system }),
      sessionStore: new RedisStore({ client: redis }),
    })
    const [subscriber] = duplicates
    const channel = `${prefix}:changed:users:${realm ?? ''}`
    const process: Process = {
      channel,
      host,
      redis,
      heard: async () => subscriber && once(subscriber, 'message'),
      heardOf: (subject) =>
        new Promise((resolve) => {
          subscriber?.on('message', (_channel, heard) => heard === subject && resolve())
        }),
      listening: async () => {
        const listening = running.filter((one) => one.channel === channel).length
        while (String(await admin.pubsub('NUMSUB', channel)) !== `${channel},${listening}`) {
          await new Promise((resolve) => setImmediate(resolve))
        }
      },
      deaf: () => subscriber?.disconnect(),
    }
    running.push(process)
    if (!strict) await process.listening()
    return process
  }

  async function annAt({ host }: Process): Promise<string> {
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    return cookieOf(await giveCode(browser, enrolment.code()).expect(200))
  }

  async function two(): Promise<{ here: Process; elsewhere: Process; cookie: string }> {
    const elsewhere = await start()
    const here = await start({ system: elsewhere.host.system })
    const cookie = await annAt(elsewhere)
    return { here, elsewhere, cookie }
  }

  const asks = ({ host }: Process, cookie: string) =>
    useCookie(browserOf(host), cookie).get('/inside')

  it('drops at once what is kept of a user whose session another process has ended', async () => {
    const { here, elsewhere, cookie } = await two()
    await asks(here, cookie).expect(200)
    const heard = here.heard()
    await elsewhere.host.secondStep.endSessions('ann')
    await heard
    await asks(here, cookie).expect(401)
  })

  // Nothing was heard, and nobody was told: a session that was ended elsewhere lived for the whole time.
  it('is heard, too, where the host’s client connects only at its first command', async () => {
    const elsewhere = await start()
    const here = await start({ system: elsewhere.host.system, lazyConnect: true })
    const cookie = await annAt(elsewhere)
    await asks(here, cookie).expect(200)
    const heard = here.heard()
    await elsewhere.host.secondStep.endSessions('ann')
    await heard
    await asks(here, cookie).expect(401)
  })

  it('is two trips for a page, both of the session', async () => {
    const { here, cookie } = await two()
    await asks(here, cookie).expect(200)
    const { commands, trips } = await countedRedis(here.redis)(() => asks(here, cookie).expect(200))
    expect(commands).to.deep.equal(['get', 'expire'])
    expect(trips).to.equal(2)
  })

  it('keeps nothing for longer than the time where the messages are lost', async () => {
    const { here, elsewhere, cookie } = await two()
    await asks(here, cookie).expect(200)
    here.deaf()
    await elsewhere.host.secondStep.endSessions('ann')
    here.host.system.advance(999)
    await asks(here, cookie).expect(200)
    here.host.system.advance(1)
    await asks(here, cookie).expect(401)
  })

  it('drops what it may have missed once it listens again after its connection was lost', async () => {
    const { here, elsewhere, cookie } = await two()
    await asks(here, cookie).expect(200)
    await admin.client('KILL', 'TYPE', 'pubsub')
    await elsewhere.host.secondStep.endSessions('ann')
    await here.listening()
    const last = here.heardOf('nobody')
    await admin.publish(here.channel, 'nobody')
    await last
    await asks(here, cookie).expect(401)
  })

  it('listens again after its connection was lost', async () => {
    const { here, elsewhere, cookie } = await two()
    await admin.client('KILL', 'TYPE', 'pubsub')
    await here.listening()
    await asks(here, cookie).expect(200)
    const heard = here.heardOf('ann')
    await elsewhere.host.secondStep.endSessions('ann')
    await heard
    await asks(here, cookie).expect(401)
  })

  it('tells of a policy to the processes of every realm', async () => {
    const staff = await start({ realm: 'staff' })
    const [browser, cookie] = [browserOf(staff.host), await annAt(staff)]
    await asks(staff, cookie).expect(200)
    const { commands } = await countedRedis(staff.redis)(() => asks(staff, cookie).expect(200))
    expect(commands).to.not.include('mget')
    const heard = staff.heard()
    await admin.publish('second-step:changed:policy', '')
    await heard
    const after = await countedRedis(staff.redis)(() => asks(staff, cookie).expect(200))
    expect(after.commands).to.include('mget')
    await browser.get('/inside').expect(401)
  })

  it('hears nothing of another realm, or of another app in the same Redis', async () => {
    const here = await start()
    const cookie = await annAt(here)
    await asks(here, cookie).expect(200)
    const heard: string[] = []
    const listener = new Redis(server.url)
    await listener.psubscribe('*')
    listener.on('pmessage', (_pattern, channel) => heard.push(channel))
    const realm = await start({ realm: 'staff' })
    const app = await start({ prefix: 'acme' })
    for (const other of [realm, app]) {
      const told = other.heard()
      await annAt(other)
      await told
    }
    listener.disconnect()
    expect(new Set(heard)).to.deep.equal(
      new Set(['second-step:changed:users:staff', 'acme:changed:users:']),
    )
  })

  it('tells nothing but whose record has changed', async () => {
    const listener = new Redis(server.url)
    const heard = new Set<string>()
    await listener.psubscribe('*')
    listener.on('pmessage', (_pattern, channel, message) => heard.add(`${channel} ${message}`))
    const here = await start()
    const told = here.heard()
    await annAt(here)
    await told
    listener.disconnect()
    expect([...heard]).to.deep.equal(['second-step:changed:users: ann'])
  })

  it('can be made by nobody to open anything, or to turn anybody away', async () => {
    const { here, elsewhere, cookie } = await two()
    await elsewhere.host.secondStep.endSessions('ann')
    const forged = ['', 'ann', '__proto__', '{"userId":"ann","epoch":0}', '\u0000', 'x'.repeat(1e6)]
    for (const message of forged) {
      for (const topic of ['policy', 'users:']) {
        const heard = here.heard()
        await admin.publish(`second-step:changed:${topic}`, message)
        await heard
      }
    }
    await asks(here, cookie).expect(401)
    const browser = browserOf(here.host)
    await passFirstStep(browser, ann).expect(200)
    await browser.get('/inside').expect(401)
  })

  it('bears a flood of messages', async () => {
    const { here, cookie } = await two()
    await asks(here, cookie).expect(200)
    const last = here.heardOf('the last one')
    const flood = admin.pipeline()
    for (let sent = 0; sent < 10_000; sent += 1) {
      flood.publish('second-step:changed:users:', `nobody-${sent}`)
      flood.publish('second-step:changed:policy', '')
    }
    const answered = flood.exec()
    await asks(here, cookie).expect(200)
    await answered
    await admin.publish('second-step:changed:users:', 'the last one')
    await last
    await asks(here, cookie).expect(200)
  })

  it('is over with close()', async () => {
    const here = await start()
    await here.host.secondStep.close()
    while (!/^\S*,0$/.test(String(await admin.pubsub('NUMSUB', 'second-step:changed:policy')))) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  })

  it('is nothing where the host has not asked for it', async () => {
    const strict = await start({ strict: true })
    const listener = new Redis(server.url)
    const heard: string[] = []
    await listener.psubscribe('*')
    listener.on('pmessage', (_pattern, channel) => heard.push(channel))
    await annAt(strict)
    await strict.host.secondStep.endSessions('ann')
    await listener.ping()
    listener.disconnect()
    expect(heard).to.deep.equal([])
    expect(String(await admin.pubsub('CHANNELS', 'second-step:*'))).to.equal('')
  })
})
