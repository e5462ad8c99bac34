// The attack: one key of the records is lost (a stray DEL, a key overwritten by another type) while the marker is still there. Read as "not enrolled", the password
// alone would open the account.

import { expect } from 'chai'
import type { Redis } from 'ioredis'
import { BrokenRecordError } from '../../lib/domain/parse-record.js'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord, serialClaim, thePolicy } from '../../lib/testing/documents.js'
import { expectProblem } from '../support/answers.js'
import { browserOf, enrol, passFirstStep } from '../support/browser.js'
import { ann, bob, makeHost } from '../support/host.js'
import { redisOfASuite } from '../support/redis-of-a-suite.js'
import { rejectionOf } from './rejection.js'

const KEYS = redisKeys('second-step')
const { policy: POLICY } = KEYS.first
const { marker: MARKER, lists } = KEYS.place('user').tag
const { all: ALL, locked: LOCKED } = lists

describe('redisStore that lost one key', () => {
  const { redis } = redisOfASuite()

  async function opened() {
    const store = redisStore(redis)
    await store.open?.({ production: false })
    return store
  }

  const recordKeys = async () => (await redis.keys('second-step:{*}:r:*')).sort()

  async function withOneRecord() {
    const store = await opened()
    await store.write(enrolledRecord('user', 1), 0)
    const [key = ''] = await recordKeys()
    return { store, key }
  }

  it('takes a serial number whose key is of another type for a failure', async () => {
    const store = await opened()
    await store.writeSerial?.(serialClaim('A-1', 1), 0)
    const [key = ''] = await redis.keys('second-step:{*}:serial:*')
    await redis.del(key)
    await redis.hset(key, 'field', 'value')
    expect(await rejectionOf(Promise.resolve(store.findSerial?.('A-1')))).to.be.an('error')
    expect(await store.findSerial?.('A-2')).to.equal(null)
  })

  const losses: Record<string, (key: string) => Promise<unknown>> = {
    'was deleted': (key) => redis.del(key),
    'is a hash now': async (key) => {
      await redis.del(key)
      await redis.hset(key, 'field', 'value')
    },
    'is a list now': async (key) => {
      await redis.del(key)
      await redis.rpush(key, 'value')
    },
    'is cut off in the middle': (key) => redis.set(key, '{"userId":"user","secret":"sealed'),
    'is a null now': (key) => redis.set(key, 'null'),
    'was deleted with its entry in the list of all': (key) =>
      redis.del(key, ...KEYS.tags.map((tag) => tag.lists.all)),
  }
  for (const [name, lose] of Object.entries(losses)) {
    describe(`a record that ${name}`, () => {
      it('is a failure, never "not enrolled"', async () => {
        const { store, key } = await withOneRecord()
        await lose(key)
        expect(await rejectionOf(store.find('user'))).to.be.instanceOf(BrokenRecordError)
        expect(await store.find('somebody else')).to.equal(null)
      })

      it('is not written over by a first record', async () => {
        const { store, key } = await withOneRecord()
        await lose(key)
        const before = await redis.dump(key)
        await rejectionOf(store.write(enrolledRecord('user', 1), 0))
        expect(await redis.dump(key)).to.deep.equal(before)
      })

      it('signs nobody in by the password alone', async () => {
        const host = makeHost({ options: { store: redisStore(redis) } })
        await enrol(host, ann)
        const [key = ''] = await recordKeys()
        await lose(key)
        const browser = browserOf(host)
        expectProblem(await passFirstStep(browser, ann), 'unavailable', 503)
        await browser.get('/inside').expect(401)
        await passFirstStep(browserOf(host), bob).expect(302)
      })
    })
  }

  it('tells which record it is, and not whose', async () => {
    const { store, key } = await withOneRecord()
    await redis.del(key)
    const { message } = await rejectionOf(store.find('user'))
    expect(message).to.contain(key).and.not.contain('"user"')
  })

  it('reveals nothing of its remains', async () => {
    const { store, key } = await withOneRecord()
    await redis.set(key, 'sealed and no JSON')
    const { message } = await rejectionOf(store.find('user'))
    expect(message).to.contain(key).and.not.contain('sealed')
  })

  it('lists the others, and names the lost records', async () => {
    const store = await opened()
    const lost: string[] = []
    for (const id of ['a', 'b', 'c', 'd']) {
      const before = await recordKeys()
      await store.write(enrolledRecord(id, 1), 0)
      if (id > 'b') lost.push(...(await recordKeys()).filter((key) => !before.includes(key)))
    }
    await redis.del(...lost)
    await redis.sadd(lost[0] ?? '', 'value')
    await redis.set(lost[1] ?? '', '{"userId":')
    for (const list of ['all', 'enrolled', 'on'] as const) {
      const page = await store.list({ list, cursor: null, limit: 100, now: 0 })
      const ids = page?.records.map(({ userId }) => userId).sort()
      expect(ids).to.deep.equal(['a', 'b'])
      expect([...(page?.lost ?? [])].sort()).to.deep.equal([...lost].sort())
    }
  })

  it('does not take a first write that comes between its two looks for a loss', async () => {
    const store = await opened()
    const mgetBuffer = async (keys: string[]) => {
      const found = await redis.mgetBuffer(keys)
      await store.write(enrolledRecord('user', 1), 0)
      return found
    }
    const racing: Redis = Object.create(redis, { mgetBuffer: { value: mgetBuffer } })
    expect(await redisStore(racing).find('user')).to.have.property('version', 1)
  })

  it('is emptied between its two looks: a failure', async () => {
    await opened()
    const mgetBuffer = async (keys: string[]) => {
      const found = await redis.mgetBuffer(keys)
      await redis.flushall()
      return found
    }
    const racing: Redis = Object.create(redis, { mgetBuffer: { value: mgetBuffer } })
    expect((await rejectionOf(redisStore(racing).find('user'))).message).to.contain(
      'lost its records',
    )
  })

  it('writes nothing of a record where one of its lists cannot be written', async () => {
    const { store, key } = await withOneRecord()
    const before = await redis.get(key)
    await redis.del(LOCKED)
    await redis.set(LOCKED, 'text')
    await rejectionOf(store.write(enrolledRecord('user', 2), 1))
    expect(await redis.get(key)).to.equal(before)
    const { lists } = KEYS.place('new user').tag
    await redis.set(lists.locked, 'text')
    await rejectionOf(store.write(enrolledRecord('new user', 1), 0))
    expect(await redis.exists(lists.all)).to.equal(0)
  })

  it('writes nothing after Redis was emptied', async () => {
    const { store } = await withOneRecord()
    await redis.flushall()
    await rejectionOf(store.write(enrolledRecord('new user', 1), 0))
    await rejectionOf(store.writePolicy(thePolicy.make(1), 0))
    expect(await redis.dbsize()).to.equal(0)
  })

  describe('the policy, which required a second step', () => {
    const losses: Record<string, () => Promise<unknown>> = {
      'was deleted': () => redis.del(KEYS.tags.map(({ policy }) => policy)),
      'is a hash now': async () => {
        await redis.del(POLICY)
        await redis.hset(POLICY, 'field', 'value')
      },
    }
    for (const [name, lose] of Object.entries(losses)) {
      it(`${name}: a failure, never the default`, async () => {
        const store = await opened()
        await store.writePolicy(thePolicy.make(1), 0)
        await lose()
        expect((await rejectionOf(store.findPolicy())).message).to.contain(POLICY)
        await rejectionOf(store.writePolicy(thePolicy.make(1), 0))
      })
    }

    it('is the default while nobody has written one', async () => {
      const store = await opened()
      await store.write(enrolledRecord('user', 1), 0)
      expect(await store.findPolicy()).to.equal(null)
      expect(await redis.get(MARKER)).to.equal('1 records')
    })
  })

  // The next change of any record made a list of it alone: then the loss of another record was no longer seen.
  it('refuses every change where the list of all is lost, so that it proves what it proved', async () => {
    const { store } = await withOneRecord()
    const beside = idBeside('user')
    await store.write(enrolledRecord(beside, 1), 0)
    await redis.del(ALL)
    const refused = await rejectionOf(store.write(enrolledRecord('user', 2), 1))
    expect(refused.message).to.contain('list')
    expect(await redis.exists(ALL)).to.equal(0)
    expect((await store.find('user'))?.version).to.equal(1)
    await redis.del(KEYS.place(beside).key)
    expect(await rejectionOf(store.find(beside))).to.be.instanceOf(BrokenRecordError)
  })

  // Whoever follows the reference's "A lost record" must not lose others' accounts by it.
  describe('ended as the reference says', () => {
    const other = idBeside('user')

    it('lets those of the same tag go on who never had a record', async () => {
      const { store, key } = await withOneRecord()
      await redis.del(key)
      const { tag, hash } = KEYS.place('user')
      for (const list of Object.values(tag.lists)) await redis.zrem(list, hash)
      expect(await redis.exists(tag.lists.all)).to.equal(0)
      await redis.set(tag.marker, '1')
      for (const id of ['user', other]) expect(await store.find(id)).to.equal(null)
      expect(await store.write(enrolledRecord(other, 1), 0)).to.equal(true)
    })

    it('a policy lost everywhere becomes the default, and the records stay', async () => {
      const { store } = await withOneRecord()
      await store.writePolicy(thePolicy.make(1), 0)
      await redis.del(KEYS.tags.map(({ policy }) => policy))
      expect(await rejectionOf(store.findPolicy())).to.match(/lost/)
      for (const { marker, lists } of KEYS.tags) {
        await redis.set(marker, (await redis.exists(lists.all)) === 1 ? '1 records' : '1')
      }
      await redisStore(redis).open?.({ production: true })
      expect(await store.findPolicy()).to.equal(null)
      expect(await store.find('user')).not.to.equal(null)
      for (let user = 0; user < 200; user += 1) {
        expect(await store.find(`other-${user}`)).to.equal(null)
      }
    })
  })
})

/** The id of somebody whose record would be under the same tag. */
function idBeside(userId: string): string {
  const { tag } = KEYS.place(userId)
  let nth = 0
  while (KEYS.place(`beside-${nth}`).tag !== tag) nth += 1
  return `beside-${nth}`
}
