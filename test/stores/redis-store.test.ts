import { expect } from 'chai'
import { Redis } from 'ioredis'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord, nextVersion, thePolicy } from '../../lib/testing/documents.js'
import { recordStoreCases } from '../../lib/testing/index.js'
import { mailResetOf } from '../../lib/testing/listed.js'
import { redisOfASuite } from '../support/redis-of-a-suite.js'
import { rejectionOf } from './rejection.js'

describe('redisStore', () => {
  const { redis, second, url } = redisOfASuite()

  async function opened(prefix?: string) {
    const store = redisStore(redis, prefix === undefined ? {} : { prefix })
    await store.open?.({ production: false })
    return store
  }

  async function commandsDuring(
    work: () => Promise<unknown> | undefined,
  ): Promise<readonly string[]> {
    const monitor = await second.monitor()
    const seen: string[] = []
    // A script's own commands come from "lua" and are no round trip.
    monitor.on('monitor', (_time: string, [name = '']: string[], source: string) => {
      if (source !== 'lua') seen.push(name.toLowerCase())
    })
    const ended = new Promise<void>((resolve) => {
      monitor.on('monitor', (_time: string, args: string[]) => {
        if (args[1] === 'end of the work') resolve()
      })
    })
    await work()
    await redis.echo('end of the work')
    await ended
    monitor.disconnect()
    return seen.slice(0, -1)
  }

  describe('keeps the contract of a record store', () => {
    for (const { name, run } of recordStoreCases) {
      const lose = async (userId: string) => redis.del(redisKeys('second-step').place(userId).key)
      it(name, () => run(() => ({ store: redisStore(redis), another: redisStore(second), lose })))
    }
  })

  describe('keeps the contract through a client with keyPrefix, stringNumbers and enableAutoPipelining', () => {
    let odd: Redis
    before(() => {
      const options = { keyPrefix: 'host:', stringNumbers: true, enableAutoPipelining: true }
      odd = new Redis(url(), options)
    })
    after(() => odd.disconnect())
    for (const { name, run } of recordStoreCases) {
      it(name, () =>
        run(() => ({ store: redisStore(odd), another: { noneBecause: 'tried above' } })),
      )
    }
  })

  it('reads a record by one command', async () => {
    const store = await opened()
    await store.write(enrolledRecord('user', 1), 0)
    expect(await commandsDuring(() => store.find('user'))).to.deep.equal(['mget'])
    expect(await commandsDuring(() => store.findPolicy())).to.deep.equal(['mget'])
  })

  it('reads a record and the policy by one command', async () => {
    const store = await opened()
    await store.write(enrolledRecord('user', 1), 0)
    expect(await commandsDuring(() => store.read?.('user'))).to.deep.equal(['mget'])
    await store.writePolicy(thePolicy.make(1), 0)
    expect(await commandsDuring(() => store.read?.('user'))).to.deep.equal(['mget'])
  })

  it('looks once more where there is no record', async () => {
    const store = await opened()
    await store.find('somebody')
    const commands = await commandsDuring(() => store.find('nobody'))
    expect(commands).to.deep.equal(['mget', 'evalsha'])
  })

  it('reads the records of a page of users by one command, and looks once more for those of nobody', async () => {
    const store = await opened()
    const ids = Array.from({ length: 50 }, (_, index) => `user ${index}`)
    for (const id of ids) await store.write(enrolledRecord(id, 1), 0)
    const others = Array.from({ length: 50 }, (_, index) => `nobody ${index}`)
    expect(await commandsDuring(() => store.findMany?.(ids))).to.deep.equal(['mget'])
    await store.findMany?.(others)
    const commands = await commandsDuring(() => store.findMany?.([...ids, ...others]))
    expect(commands).to.deep.equal(['mget', 'evalsha'])
    expect(await commandsDuring(() => store.findMany?.([]))).to.deep.equal([])
  })

  it('reads them by a command for each slot where a proxy hides a cluster', async () => {
    const store = redisStore(
      new Proxy(redis, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name)
          if (typeof value !== 'function') return value
          if (name !== 'mgetBuffer') return value.bind(target)
          return async (keys: string[]) => {
            const tags = new Set(keys.map((key) => /\{.*\}/.exec(key)?.[0]))
            if (tags.size > 1)
              throw new Error("CROSSSLOT Keys in request don't hash to the same slot")
            return target.mgetBuffer(keys)
          }
        },
      }),
    )
    await store.open?.({ production: false })
    const ids = Array.from({ length: 10 }, (_, index) => `user ${index}`)
    for (const id of ids) await store.write(enrolledRecord(id, 1), 0)
    const found = await store.findMany?.(ids)
    const values = found?.map((one) => (one.status === 'fulfilled' ? one.value?.userId : null))
    expect(values).to.deep.equal(ids)
  })

  // Promise 7: an emptied server is a failure, never "nobody of them is enrolled".
  it('says of whom it lost the marker that nothing is known', async () => {
    const store = await opened()
    const { tag } = redisKeys('second-step').place('user 1')
    const other = ['a', 'b', 'c'].find((id) => redisKeys('second-step').place(id).tag !== tag) ?? ''
    await redis.del(tag.marker)
    const found = await store.findMany?.(['user 1', other])
    expect(found?.map(({ status }) => status)).to.deep.equal(['rejected', 'fulfilled'])
    await redis.flushall()
    const none = await store.findMany?.(['user 1', other])
    expect(none?.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected'])
  })

  it('reads at a login by one command, also of a user without a record', async () => {
    const store = await opened()
    await store.writePolicy(thePolicy.make(1), 0)
    await store.write(enrolledRecord('user', 1), 0)
    for (const id of ['user', 'warm', 'nobody']) {
      const expected = { record: await store.find(id), policy: await store.findPolicy() }
      expect(await store.read?.(id, { atLogin: true })).to.deep.equal(expected)
      const sent = await commandsDuring(() => store.read?.(id, { atLogin: true }))
      expect(sent, id).to.deep.equal(['evalsha'])
    }
  })

  it('remembers who has no record, to ask by one command, and not what the answer was', async () => {
    const store = await opened()
    expect(await commandsDuring(() => store.read?.('warm'))).to.include('mget')
    expect(await commandsDuring(() => store.read?.('nobody'))).to.include('mget')
    expect(await commandsDuring(() => store.read?.('nobody'))).to.deep.equal(['evalsha'])
    const record = enrolledRecord('nobody', 1)
    await redisStore(second).write(record, 0)
    expect((await store.read?.('nobody'))?.record).to.deep.equal(record)
    expect(await commandsDuring(() => store.read?.('nobody'))).to.deep.equal(['mget'])
  })

  it('writes a record by one command', async () => {
    const store = await opened()
    await store.write(enrolledRecord('user', 1), 0)
    const commands = await commandsDuring(() => store.write(enrolledRecord('user', 2), 1))
    expect(commands).to.deep.equal(['evalsha'])
  })

  it('writes to a server that has forgotten the script', async () => {
    const store = await opened()
    await store.write(enrolledRecord('user', 1), 0)
    await redis.script('FLUSH')
    expect(await store.write(enrolledRecord('user', 2), 1)).to.equal(true)
    await redis.script('FLUSH')
    expect(await store.write(enrolledRecord('user', 2), 1)).to.equal(false)
  })

  it('puts the keys of a user in one slot and no user id in any', async () => {
    const store = await opened('acme')
    const record = enrolledRecord('somebody@acme.example', 1)
    const before = await redis.keys('*')
    await store.write({ ...record, mailReset: mailResetOf() }, 0)
    const keys = (await redis.keys('*')).filter((key) => !before.includes(key))
    expect(keys).to.have.length(3)
    const names = /^acme:\{(\d+)\}:(list:(all|mail-resets-due)|r:[A-Za-z0-9_-]{16})$/
    for (const key of keys) expect(key).to.match(names)
    expect(new Set(keys.map((key) => names.exec(key)?.[1])).size).to.equal(1)
  })

  it('reads a record in JSON, and writes over it as over any other', async () => {
    const store = await opened()
    const first = enrolledRecord('user', 1)
    await store.write(first, 0)
    const { key } = redisKeys('second-step').place('user')
    await redis.set(key, JSON.stringify(first))
    expect(await store.find('user')).to.deep.equal(first)
    expect(await store.write(enrolledRecord('user', 3), 2)).to.equal(false)
    expect(await store.write(first, 0), 'sent again').to.equal(true)
    const next = nextVersion(first, { epoch: 9 })
    expect(await store.write(next, 1)).to.equal(true)
    expect(await store.write(next, 1), 'sent again').to.equal(true)
    expect(await store.find('user')).to.deep.equal(next)
    expect((await redis.getBuffer(key))?.[0]).to.equal(1)
  })

  it('keeps stores of different prefixes apart', async () => {
    const [acme, other] = [await opened('acme'), await opened('other')]
    await acme.write(enrolledRecord('user', 1), 0)
    expect(await other.find('user')).to.equal(null)
  })

  // A damaged record that reads as "nothing stored" would let the password alone open the account.
  it('rejects a stored record that is no JSON object, to read and to write', async () => {
    const store = await opened()
    await store.write(enrolledRecord('user', 1), 0)
    const key = (await redis.keys('*}:r:*'))[0] ?? ''
    for (const damaged of ['', 'null', '1', '"text"', '{"version":1', '\u0000']) {
      await redis.set(key, damaged)
      await rejectionOf(store.find('user'))
      const overwriting = store.write(enrolledRecord('user', 1), 0).catch(() => 'rejected')
      expect(await overwriting, damaged).to.be.oneOf(['rejected', false])
      expect(await redis.get(key)).to.equal(damaged)
    }
  })
})
