// The attack: an upgrade that loses a record, a list or the policy on its way, or that lets a process
// of the version before go on: the password alone then opens the account.

import { expect } from 'chai'
import { Redis } from 'ioredis'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import type { AuditEntry } from '../../lib/ports/audit-log.js'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { redisAuditLog } from '../../lib/stores/redis-audit-log.js'
import { makeRedisMarker } from '../../lib/stores/redis-checks.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord, thePolicy } from '../../lib/testing/documents.js'
import { assertLists, FOREVER, mailResetOf, NOW } from '../../lib/testing/listed.js'
import { oldHash, oldKey, writeOldKeys, writeOldLog } from '../support/records-of-version-0-1.js'
import { redisOfASuite } from '../support/redis-of-a-suite.js'
import { rejectionOf } from './rejection.js'

const MARKER = '{second-step}:marker'
const RECORDS: readonly SecondStepRecord[] = [
  enrolledRecord('on', 7),
  { ...enrolledRecord('off', 1), authenticators: [] },
  { ...enrolledRecord('locked', 2), lockedUntil: NOW + 1 },
  { ...enrolledRecord('paused', 3), pausedUntil: FOREVER },
  { ...enrolledRecord('due', 4), authenticators: [], mailReset: mailResetOf() },
]
const LISTS = {
  all: 'due locked off on paused',
  enrolled: 'locked on paused',
  on: 'on',
  locked: 'locked',
  paused: 'paused',
  'mail-resets-due': 'due',
}

const ENTRIES = ['on', 'off', null, 'on', 'locked'].flatMap((user, index) =>
  (['enrolled', 'wrong-code'] as const).map((type, nth) => entryAt(2 * index + nth, user, type)),
)

function entryAt(at: number, user: string | null, type: AuditEntry['type']): AuditEntry {
  const id = `${(NOW + at).toString(16).padStart(12, '0')}${'0'.repeat(18)}`
  const actor = { kind: 'user', id: user } as const
  const more = {
    method: 'totp',
    ip: '192.0.2.1',
    userAgent: 'é',
    reason: null,
    detail: null,
  } as const
  return { id, at: NOW + at, type, user, actor, ...more }
}

describe('the upgrade of what version 0.1.0 has kept in Redis', () => {
  const { redis, url } = redisOfASuite()

  const oldKeys = () => redis.keys('{second-step}:*')

  async function expectAllMoved(client: Redis, records = RECORDS) {
    const store = redisStore(client)
    await store.open?.({ production: true })
    for (const record of records) expect(await store.find(record.userId)).to.deep.equal(record)
    await assertLists(store, LISTS)
  }

  it('is asked for by the start of the app, which touches nothing', async () => {
    await writeOldKeys(redis, { records: RECORDS })
    const before = (await redis.keys('*')).sort()
    const error = await rejectionOf(redisStore(redis).open?.({ production: true }))
    expect(error).to.be.instanceOf(ConfigurationError)
    expect(error.message).to.contain('npx passport-second-step upgrade')
    expect((await redis.keys('*')).sort()).to.deep.equal(before)
  })

  it('moves every record, list and policy, and leaves no old key but a bar', async () => {
    const policy = thePolicy.make(3)
    await writeOldKeys(redis, { records: RECORDS, policy })
    const told: (number | null)[] = []
    const progress = { begin: (total: number | null) => told.push(total), step: () => told.push(1) }
    expect(await redisStore(redis).upgrade(progress)).to.equal(5)
    expect(told).to.deep.equal([5, 1, 1, 1, 1, 1])
    expect(await oldKeys()).to.deep.equal([MARKER])
    await expectAllMoved(redis)
    const store = redisStore(redis)
    expect(await store.findPolicy()).to.deep.equal(policy)
    for (const { userId } of RECORDS) {
      expect((await store.read?.(userId))?.policy).to.deep.equal(policy)
    }
    expect(await store.count?.()).to.equal(5)
  })

  it('does nothing where there is nothing of that version, and nothing the second time', async () => {
    expect(await redisStore(redis).upgrade()).to.equal(null)
    expect(await redis.dbsize()).to.equal(0)
    await writeOldKeys(redis, { records: RECORDS })
    await redisStore(redis).upgrade()
    const after = (await redis.keys('*')).sort()
    expect(await redisStore(redis).upgrade()).to.equal(null)
    expect((await redis.keys('*')).sort()).to.deep.equal(after)
  })

  it('is done by the start itself outside production, where there are few', async () => {
    await writeOldKeys(redis, { records: RECORDS })
    await redisStore(redis).open?.({ production: false })
    expect(await oldKeys()).to.deep.equal([MARKER])
    await expectAllMoved(redis)
    await redis.flushall()
    await writeOldKeys(redis, { records: RECORDS })
    const many = Array.from({ length: 250 }, (_, at) => [0, `hash-${at}`]).flat()
    await redis.zadd('{second-step}:list:all', ...many)
    await rejectionOf(redisStore(redis).open?.({ production: false }))
  })

  // A process of 0.1.0 that was forgotten, or is started again, and its command "init".
  it('leaves processes of 0.1.0 without a marker, from the first moment on and for good', async () => {
    await writeOldKeys(redis, { records: RECORDS })
    const expectRefused = async () => {
      expect(await redis.mget(MARKER, oldKey('on'))).to.have.property('0', null)
      expect(await redis.set(MARKER, '1', 'NX')).to.equal(null)
    }
    const failing = failingAfter(3)
    await rejectionOf(redisStore(failing).upgrade())
    await expectRefused()
    await redisStore(redis).upgrade()
    await expectRefused()
  })

  // The attack: the list of a tag is lost half way through an upgrade. Begun anew by a record that is still to be
  // moved, it would prove nothing of those that are there: a lost one of them would read as "not enrolled".
  it('does not begin a lost list anew', async () => {
    const keys = redisKeys('second-step')
    const { tag } = keys.place('user-0')
    const ids = Array.from({ length: 1000 }, (_, nth) => `user-${nth}`)
    const [moved = '', left = ''] = ids.filter((id) => keys.place(id).tag === tag)
    await writeOldKeys(redis, { records: [enrolledRecord(moved, 1)] })
    await redisStore(redis).upgrade()
    await redis.del(MARKER)
    await writeOldKeys(redis, { records: [enrolledRecord(left, 1)] })
    await redis.del(tag.lists.all)
    for (const lose of [async () => undefined, () => redis.del(keys.place(moved).key)]) {
      await lose()
      expect((await rejectionOf(redisStore(redis).upgrade())).message).to.contain('list')
      expect(await redis.exists(tag.lists.all, keys.place(left).key)).to.equal(0)
      expect(await redis.exists(oldKey(left))).to.equal(1)
    }
    await rejectionOf(redisStore(redis).find(moved))
  })

  const logged = async (user: string | null) =>
    (await redisAuditLog(redis).list({ user, cursor: null, limit: 100 }))?.entries

  async function expectLogMoved() {
    expect(await logged(null)).to.deep.equal(ENTRIES.toReversed())
    for (const user of ['on', 'off', 'locked']) {
      const ofUser = ENTRIES.filter((entry) => entry.user === user)
      expect(await logged(user)).to.deep.equal(ofUser.toReversed())
    }
  }

  it('moves the audit log, each entry once', async () => {
    await writeOldKeys(redis, { records: RECORDS })
    await writeOldLog(redis, ENTRIES)
    await redisStore(redis).upgrade()
    expect(await oldKeys()).to.deep.equal([MARKER])
    await expectLogMoved()
  })

  it('moves the audit log beside the records of another store, and twice the same', async () => {
    await writeOldLog(redis, ENTRIES)
    const log = redisAuditLog(redis)
    expect(await log.upgrade()).to.equal(10)
    expect(await oldKeys()).to.deep.equal([])
    await writeOldLog(redis, ENTRIES)
    await log.upgrade()
    await expectLogMoved()
    expect(await log.upgrade()).to.equal(0)
  })

  it('leaves a stream with an entry that cannot be read, and moves the others of it', async () => {
    await writeOldLog(redis, ENTRIES)
    const stream = `{second-step}:events:${oldHash('on')}`
    await redis.xadd(stream, '*', 'entry', '{"id":')
    await redisAuditLog(redis).upgrade()
    expect(await oldKeys()).to.deep.equal([stream])
    await expectLogMoved()
  })

  it('moves more than a user’s list has room for, the newest', async () => {
    const many = Array.from({ length: 1200 }, (_, at) => entryAt(at, 'on', 'enrolled'))
    await writeOldLog(redis, many)
    await redisAuditLog(redis).upgrade()
    expect((await logged('on'))?.[0]).to.deep.equal(many.at(-1))
  })

  it('can be stopped after any command and run again; until then nobody starts', async () => {
    let failed = true
    for (let commands = 1; failed; commands += 9) {
      await redis.flushall()
      await writeOldKeys(redis, { records: RECORDS, policy: thePolicy.make(1) })
      await writeOldLog(redis, ENTRIES)
      failed = await redisStore(failingAfter(commands))
        .upgrade()
        .then(
          () => false,
          () => true,
        )
      if (!failed) break
      await rejectionOf(redisStore(redis).open?.({ production: true }))
      await redisStore(redis).upgrade()
      expect(await oldKeys(), `after ${commands}`).to.deep.equal([MARKER])
      await expectAllMoved(redis)
      await expectLogMoved()
    }
  })

  it('carries damaged records as they are, and lost ones as lost', async () => {
    await writeOldKeys(redis, { records: RECORDS })
    await redis.set(oldKey('on'), '{"userId":"on","sec')
    await redis.del(oldKey('locked'))
    await redis.del(oldKey('paused'))
    await redis.sadd(oldKey('paused'), 'a set')
    await redisStore(redis).upgrade()
    const store = redisStore(redis)
    await store.open?.({ production: true })
    for (const id of ['on', 'locked', 'paused']) await rejectionOf(store.find(id))
    expect(await store.find('due')).to.deep.equal(RECORDS[4])
    const page = await store.list({ list: 'enrolled', cursor: null, limit: 100, now: NOW })
    expect(page?.lost).to.have.length(3)
  })

  // The lists were lost, and nobody has noticed, because each record was read by its key.
  it('moves records that no list names', async () => {
    await writeOldKeys(redis, { records: RECORDS })
    await redis.del('{second-step}:list:all', '{second-step}:list:enrolled')
    await redis.zrem('{second-step}:list:locked', oldHash('locked'))
    await redisStore(redis).upgrade()
    await expectAllMoved(redis)
  })

  it('keeps a policy that was lost lost', async () => {
    await writeOldKeys(redis, { records: RECORDS, policy: thePolicy.make(1) })
    await redis.del('{second-step}:policy')
    await redisStore(redis).upgrade()
    const store = redisStore(redis)
    await rejectionOf(store.findPolicy())
    await rejectionOf(Promise.resolve(store.read?.('on')))
    await rejectionOf(store.writePolicy(thePolicy.make(1), 0))
  })

  // The marker of 0.1.0 is lost, its records are not: beside new and empty keys they would all read as
  // "not enrolled".
  it('does not begin where the marker is lost, and nothing begins anew beside it', async () => {
    await writeOldKeys(redis, { records: RECORDS })
    await redis.del(MARKER)
    const before = (await redis.keys('*')).sort()
    const opening = (production: boolean) => redisStore(redis).open?.({ production })
    for (const attempt of [
      () => redisStore(redis).upgrade(),
      () => makeRedisMarker(redis),
      () => opening(false),
      () => opening(true),
    ]) {
      const error = await rejectionOf(Promise.resolve<unknown>(attempt()))
      expect(error).to.be.instanceOf(ConfigurationError)
      expect(error.message).to.contain(`"${MARKER}"`)
    }
    expect((await redis.keys('*')).sort()).to.deep.equal(before)
  })

  // A single key is lost while the upgrade is stopped half way: who has not been moved yet would read as
  // "not enrolled".
  it('that lost any one key half way lets nobody start', async () => {
    for (const policy of [null, thePolicy.make(1)]) {
      const stopped = async () => {
        await redis.flushall()
        await writeOldKeys(redis, { records: RECORDS, policy })
        const many = Array.from({ length: 120 }, (_, at) => enrolledRecord(`user-${at}`, 1))
        await writeOldKeys(redis, { records: many, policy })
        const step = () => {
          throw new Error('stopped')
        }
        await rejectionOf(redisStore(redis).upgrade({ begin: () => undefined, step }))
        return (await oldKeys()).filter((key) => !/:record:/.test(key))
      }
      for (const key of await stopped()) {
        await stopped()
        await redis.del(key)
        const error = await rejectionOf(redisStore(redis).open?.({ production: true }))
        expect(error, key).to.be.instanceOf(ConfigurationError)
      }
    }
  })

  it('names a list or policy of another type before it begins', async () => {
    for (const name of ['list:all', 'list:paused', 'policy', 'marker', 'events']) {
      await redis.flushall()
      await writeOldKeys(redis, { records: RECORDS, policy: thePolicy.make(1) })
      const key = `{second-step}:${name}`
      await redis.del(key)
      await redis.sadd(key, 'a set')
      const before = (await redis.keys('*')).sort()
      const error = await rejectionOf(redisStore(redis).upgrade())
      expect(error, name).to.be.instanceOf(ConfigurationError)
      expect(error.message).to.contain(`"${key}"`)
      await rejectionOf(redisStore(redis).open?.({ production: false }))
      expect((await redis.keys('*')).sort()).to.deep.equal(before)
    }
  })

  // Whoever can sign in by password alone gains by a record that is passed over.
  it('lists a record of another type as lost, also where no list names it', async () => {
    await writeOldKeys(redis, { records: RECORDS })
    await redis.del(oldKey('on'))
    await redis.rpush(oldKey('on'), 'a list')
    for (const list of ['all', 'enrolled']) {
      await redis.zrem(`{second-step}:list:${list}`, oldHash('on'))
    }
    await redisStore(redis).upgrade()
    const store = redisStore(redis)
    await store.open?.({ production: true })
    await rejectionOf(store.find('on'))
  })

  it('stops at a record that is there already and is another', async () => {
    await writeOldKeys(redis, { records: RECORDS })
    const store = redisStore(redis)
    await redisStore(redis).upgrade()
    await writeOldKeys(redis, { records: [enrolledRecord('on', 1)] })
    await redis.del(MARKER)
    await redis.set(MARKER, '1')
    expect((await rejectionOf(store.upgrade())).message).to.contain('differs')
    expect(await redis.exists(oldKey('on'))).to.equal(1)
    expect(await store.find('on')).to.deep.equal(RECORDS[0])
  })

  it('finds the keys of a client with a prefix of its own, and of a prefix with wildcards', async () => {
    const odd = new Redis(url(), { keyPrefix: 'host[1]:' })
    try {
      await writeOldKeys(odd, { records: RECORDS }, 'a*?\\')
      await redis.set('host1:{aXY\\}:record:other', 'not ours')
      await odd.del('{a*?\\}:list:all', '{a*?\\}:list:enrolled')
      const store = redisStore(odd, { prefix: 'a*?\\' })
      expect(await store.upgrade()).to.equal(5)
      await store.open?.({ production: true })
      await assertLists(store, LISTS)
      expect(await redis.get('host1:{aXY\\}:record:other')).to.equal('not ours')
    } finally {
      odd.disconnect()
    }
  })

  /** A client whose server goes away after some commands. */
  function failingAfter(commands: number): Redis {
    let left = commands
    const counted = (name: 'mget' | 'mgetBuffer' | 'set' | 'evalsha' | 'eval' | 'scan') => ({
      value: async (...args: never[]) => {
        left -= 1
        if (left < 0) throw new Error('the server is gone')
        return Reflect.apply(redis[name], redis, args)
      },
    })
    return Object.create(redis, {
      mget: counted('mget'),
      mgetBuffer: counted('mgetBuffer'),
      set: counted('set'),
      eval: counted('eval'),
      evalsha: counted('evalsha'),
      scan: counted('scan'),
    })
  }
})
