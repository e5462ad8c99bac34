// The attack: the list of all records of one tag is lost while the marker is there. It proves that a missing record was lost: begun anew without the records that
// are there, it would let the password alone open the account of the next one that goes.

import { expect } from 'chai'
import type { Redis } from 'ioredis'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord } from '../../lib/testing/documents.js'
import { FOREVER, mailResetOf, NOW } from '../../lib/testing/listed.js'
import { redisOfASuite } from '../support/redis-of-a-suite.js'
import { rejectionOf } from './rejection.js'

const KEYS = redisKeys('second-step')
const { tag } = KEYS.place('user')
const [USER = '', LOCKED = '', PAUSED = '', DUE = '', OFF = '', NEWCOMER = '', ...MORE] =
  Array.from({ length: 20_000 }, (_, nth) => `user-${nth}`).filter(
    (id) => KEYS.place(id).tag === tag,
  )
const OTHERS = Array.from({ length: 60 }, (_, nth) => `other-${nth}`).filter(
  (id) => KEYS.place(id).tag !== tag,
)
const RECORDS: readonly SecondStepRecord[] = [
  enrolledRecord(USER, 1),
  { ...enrolledRecord(LOCKED, 2), lockedUntil: FOREVER },
  { ...enrolledRecord(PAUSED, 3), pausedUntil: FOREVER },
  { ...enrolledRecord(DUE, 4), authenticators: [], mailReset: mailResetOf() },
  { ...enrolledRecord(OFF, 1), authenticators: [] },
]

describe('redisStore that lost the list of a tag', () => {
  const { redis } = redisOfASuite()
  const store = () => redisStore(redis)

  beforeEach(async () => {
    await store().open?.({ production: false })
    for (const record of RECORDS) await putAnew(record)
    for (const id of OTHERS) await putAnew(enrolledRecord(id, 1))
  })

  /** Whatever its version is. */
  async function putAnew(record: SecondStepRecord): Promise<void> {
    for (let version = 1; version <= record.version; version += 1) {
      const one = { ...record, version, writeId: `${record.userId}-${version}` }
      await store().write(one, version - 1)
    }
  }

  /** All of a list, by pages of this size. */
  async function listed(list: 'all' | 'on' | 'locked' | 'mail-resets-due', limit: number) {
    const [ids, lists]: [string[], string[]] = [[], []]
    let cursor: string | null = null
    do {
      const page = await store().list({ list, cursor, limit, now: NOW })
      ids.push(...(page?.records ?? []).map(({ userId }) => userId))
      lists.push(...(page?.lostLists ?? []))
      cursor = page?.next ?? null
    } while (cursor !== null)
    return { ids: ids.sort(), lists }
  }

  /** All that is in Redis. */
  async function everything(): Promise<Record<string, string>> {
    const keys = (await redis.keys('*')).sort()
    const dumps = keys.map(async (key) => [key, (await redis.dumpBuffer(key)).toString('hex')])
    return Object.fromEntries(await Promise.all(dumps))
  }

  const losses: Record<string, () => Promise<unknown>> = {
    deleted: () => redis.del(tag.lists.all),
    'a text now': () => redis.set(tag.lists.all, 'text'),
  }
  for (const [loss, lose] of Object.entries(losses)) {
    it(`lists everybody else, and names the list that is ${loss}`, async () => {
      await lose()
      for (const limit of [1, 3, 100]) {
        for (const list of ['all', 'on'] as const) {
          const found = await listed(list, limit)
          expect(found).to.deep.equal({ ids: [...OTHERS].sort(), lists: [tag.lists.all] })
        }
        for (const list of ['locked', 'mail-resets-due'] as const) {
          expect(await listed(list, limit)).to.deep.equal({ ids: [], lists: [tag.lists.all] })
        }
      }
      expect(await store().count?.()).to.equal(OTHERS.length)
    })

    it(`makes the list that is ${loss} anew as the writes had made it`, async () => {
      const before = await everything()
      await lose()
      expect(await store().repair()).to.deep.equal({
        made: [tag.lists.all],
        records: RECORDS.length,
        lost: [],
        left: [],
      })
      expect(await everything()).to.deep.equal(before)
      expect(await store().write(enrolledRecord(USER, 2), 1)).to.equal(true)
      expect(await store().write(enrolledRecord(NEWCOMER, 1), 0)).to.equal(true)
      await redis.del(KEYS.place(LOCKED).key)
      await rejectionOf(store().find(LOCKED))
    })
  }

  it('makes the lists by state anew with it', async () => {
    const before = await everything()
    await redis.del(...Object.values(tag.lists))
    await redis.zadd(tag.lists.paused, 5, KEYS.place(USER).hash)
    await store().repair()
    expect(await everything()).to.deep.equal(before)
  })

  // The mistake: a list by state alone is lost, and neither pages nor a repair tell of it.
  for (const [list, id] of [
    ['locked', LOCKED],
    ['paused', PAUSED],
    ['mail-resets-due', DUE],
  ] as const) {
    it(`tells who is missing in the list ${list} alone, and makes it anew`, async () => {
      const before = await everything()
      const nothing = { made: [], records: 0, lost: [], left: [] }
      expect(await store().misplaced()).to.deep.equal([])
      await redis.del(tag.lists[list])
      expect(await store().misplaced()).to.include(KEYS.place(id).key)
      expect((await store().repair()).records).to.be.above(0)
      expect(await everything()).to.deep.equal(before)
      expect(await store().misplaced()).to.deep.equal([])
      expect(await store().repair()).to.deep.equal(nothing)
    })
  }

  // The mistake: somebody has written another type over a list by state, and no repair ends the 503 of its tag.
  for (const list of ['locked', 'paused', 'mail-resets-due'] as const) {
    it(`makes the list ${list} anew that is a text now, and tells of it before`, async () => {
      const before = await everything()
      await redis.set(tag.lists[list], 'text')
      expect(await store().misplaced()).to.include(KEYS.place(USER).key)
      expect(await redis.get(tag.lists[list])).to.equal('text')
      const done = { made: [tag.lists[list]], lost: [], left: [] }
      expect(await store().repair()).to.deep.include(done)
      expect(await everything()).to.deep.equal(before)
      expect(await store().misplaced()).to.deep.equal([])
    })
  }

  it('lists everybody else where a list by state is a text, and names it', async () => {
    for (const list of ['locked', 'paused'] as const) {
      await redis.set(tag.lists[list], 'text')
      const named = { ids: [...OTHERS].sort(), lists: [tag.lists[list]] }
      expect(await listed('on', 3)).to.deep.equal(named)
      expect((await listed('all', 100)).lists).to.deep.equal([])
      await store().repair()
    }
    await redis.set(tag.lists.locked, 'text')
    expect(await listed('locked', 3)).to.deep.equal({ ids: [], lists: [tag.lists.locked] })
    const [other = ''] = OTHERS
    expect(await store().write(enrolledRecord(other, 2), 1)).to.equal(true)
  })

  it('makes it anew beside the list of all that is a text too', async () => {
    const before = await everything()
    await Promise.all(Object.values(tag.lists).map((list) => redis.set(list, 'text')))
    await store().repair()
    expect(await everything()).to.deep.equal(before)
  })

  it('makes it anew where the list of all leaves out a record', async () => {
    const before = await everything()
    await redis.zrem(tag.lists.all, KEYS.place(LOCKED).hash)
    await redis.set(tag.lists.locked, 'text')
    await store().repair()
    expect(await everything()).to.deep.equal(before)
  })

  it('takes nobody out of the state that a write gave them during the repair', async () => {
    await redis.del(tag.lists.locked, tag.lists.paused)
    const unlocked = { ...enrolledRecord(LOCKED, 3), lockedUntil: null }
    await Promise.all([store().repair(), store().write(unlocked, 2)])
    expect(await redis.zscore(tag.lists.locked, KEYS.place(LOCKED).hash)).to.equal(null)
    expect(await store().misplaced()).to.deep.equal([])
  })

  it('changes nothing where no list is lost, and nothing the second time', async () => {
    const before = await everything()
    const nothing = { made: [], records: 0, lost: [], left: [] }
    expect(await store().repair()).to.deep.equal(nothing)
    await redis.del(tag.lists.all)
    await store().repair()
    expect(await store().repair()).to.deep.equal(nothing)
    expect(await everything()).to.deep.equal(before)
  })

  // The mistake: somebody took the word out of the marker, as if no record were there.
  it('is repaired where the marker does not know of records any more', async () => {
    const before = await everything()
    await redis.del(tag.lists.all)
    await redis.set(tag.marker, '1')
    await store().repair()
    expect(await everything()).to.deep.equal(before)
  })

  // The same mistake, and a newcomer has begun the list anew: a lost record of the others read as "not enrolled".
  it('is completed where it was begun anew without the others', async () => {
    await redis.del(...Object.values(tag.lists))
    await redis.set(tag.marker, '1')
    await store().write(enrolledRecord(NEWCOMER, 1), 0)
    expect(await redis.zcard(tag.lists.all)).to.equal(1)
    const unlisted = RECORDS.map(({ userId }) => KEYS.place(userId).key).sort()
    expect([...(await store().unlisted())].sort()).to.deep.equal(unlisted)
    const changed = { ...enrolledRecord(USER, 2), lockedUntil: FOREVER }
    const [done] = await Promise.all([store().repair(), store().write(changed, 1)])
    expect(done.made).to.deep.equal([])
    expect(done.records).to.be.within(RECORDS.length - 1, RECORDS.length)
    expect(await store().unlisted()).to.deep.equal([])
    const listedNow = await listed('all', 100)
    expect(listedNow.ids).to.include.members([...RECORDS.map(({ userId }) => userId), NEWCOMER])
    expect((await listed('locked', 100)).ids).to.deep.equal([LOCKED, USER].sort())
    for (const { userId } of RECORDS) {
      await redis.del(KEYS.place(userId).key)
      await rejectionOf(store().find(userId))
    }
  })

  it('keeps what cannot be read lost, and what another list names', async () => {
    await redis.set(KEYS.place(USER).key, 'text')
    await redis.del(KEYS.place(OFF).key)
    await redis.hset(KEYS.place(OFF).key, 'field', 'value')
    await redis.del(KEYS.place(LOCKED).key, tag.lists.all)
    const { records, lost } = await store().repair()
    expect(records).to.equal(RECORDS.length)
    const gone = [USER, OFF, LOCKED]
    expect([...lost].sort()).to.deep.equal(gone.map((id) => KEYS.place(id).key).sort())
    for (const id of gone) await rejectionOf(store().find(id))
  })

  it('is never made of a part of its records, wherever the repair is stopped', async () => {
    for (const id of MORE.slice(0, 150)) await store().write(enrolledRecord(id, 1), 0)
    const before = await everything()
    await redis.del(tag.lists.all)
    let stopped = 0
    for (let calls = 65; ; calls += 1) {
      try {
        await redisStore(failingAfter(calls)).repair()
        break
      } catch {
        stopped += 1
        const listed = await redis.zcard(tag.lists.all)
        expect([0, RECORDS.length + 150]).to.include(listed)
        if (listed > 0) break
        await rejectionOf(store().find(NEWCOMER))
      }
    }
    expect(stopped).to.be.above(2)
    for (const key of await redis.keys(`${tag.lists.all}:*`)) {
      expect(await redis.ttl(key)).to.be.above(0)
      await redis.del(key)
    }
    expect(await everything()).to.deep.equal(before)
  })

  it('is made once by two repairs at the same time', async () => {
    const before = await everything()
    await redis.del(tag.lists.all)
    await Promise.all([store().repair(), store().repair()])
    for (const key of await redis.keys(`${tag.lists.all}:*`)) await redis.del(key)
    expect(await everything()).to.deep.equal(before)
  })

  it('stays lost where no record is left, and where the marker is lost', async () => {
    await redis.del(...RECORDS.map(({ userId }) => KEYS.place(userId).key))
    await redis.del(...Object.values(tag.lists))
    expect(await store().repair()).to.deep.include({ made: [], left: [tag.lists.all] })
    await rejectionOf(store().find(USER))
    await redis.del(tag.marker)
    expect((await rejectionOf(store().repair())).message).to.contain(tag.marker)
  })

  /** A client whose calls of scripts fail after so many. */
  function failingAfter(calls: number): Redis {
    let left = calls
    const evalsha = (...args: Parameters<Redis['evalsha']>) => {
      left -= 1
      if (left < 0) throw new Error('killed')
      return redis.evalsha(...args)
    }
    return Object.create(redis, { evalsha: { value: evalsha } })
  }
})
