import { expect } from 'chai'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { evenHashTags, slotOf } from '../../lib/redis/hash-slot.js'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { makeRedisMarker } from '../../lib/stores/redis-checks.js'
import { RedisPolicy } from '../../lib/stores/redis-policy.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord, nextVersion, thePolicy } from '../../lib/testing/documents.js'
import { idsIn, NOW } from '../../lib/testing/listed.js'
import { redisOfASuite } from '../support/redis-of-a-suite.js'
import { rejectionOf } from './rejection.js'

const KEYS = redisKeys('second-step')
const LAST = KEYS.tags[63]

describe('the hash tags of redisStore', () => {
  const { redis, second } = redisOfASuite()

  async function opened() {
    const store = redisStore(redis)
    await store.open?.({ production: false })
    return store
  }

  /** All commands, those of scripts too, and those that the client has sent. */
  async function commandsDuring(work: () => Promise<unknown>) {
    const monitor = await second.monitor()
    const seen: { name: string; byScript: boolean }[] = []
    monitor.on('monitor', (_time: string, [name = '']: string[], source: string) => {
      seen.push({ name: name.toLowerCase(), byScript: source === 'lua' })
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
    const all = seen.slice(0, -1)
    return {
      sent: all.filter(({ byScript }) => !byScript).map(({ name }) => name),
      names: new Set(all.map(({ name }) => name)),
    }
  }

  it('lie one in each 64th of the slots', () => {
    // CRC-16/XMODEM's check value is 0x31C3.
    expect(slotOf('123456789')).to.equal(0x31c3 % 16_384)
    const slots = evenHashTags(64).map(slotOf)
    expect(slots.map((slot) => Math.floor(slot / 256))).to.deep.equal(
      Array.from({ length: 64 }, (_, part) => part),
    )
  })

  // Another app in this Redis has the prefix that a tag of this one is named by, and runs "upgrade": it
  // takes this tag for records of version 0.1.0 and moves them away, so that its users sign in by password.
  it('are never what version 0.1.0 kept for another prefix', async () => {
    const store = await opened()
    const ids = Array.from({ length: 100 }, (_, user) => `user-${user}`)
    for (const id of ids) await store.write(enrolledRecord(id, 1), 0)
    const before = (await redis.keys('*')).sort()
    const contents = KEYS.tags.map(({ marker }) => /\{(.*)\}/.exec(marker)?.[1] ?? '')
    for (const prefix of contents.flatMap((tag) => [tag, `second-step:${tag}`])) {
      expect(await redisStore(redis, { prefix }).upgrade()).to.equal(null)
    }
    expect((await redis.keys('*')).sort()).to.deep.equal(before)
    for (const id of ids) expect(await store.find(id)).to.have.property('version', 1)
  })

  it('are given by the first six bits of a hash, evenly', () => {
    const counts = new Map<string, number>()
    for (let user = 0; user < 20_000; user += 1) {
      const { tag, key } = KEYS.place(`user-${user}`)
      expect(key.startsWith(tag.records)).to.equal(true)
      counts.set(tag.records, (counts.get(tag.records) ?? 0) + 1)
    }
    expect(counts.size).to.equal(64)
    for (const count of counts.values()) expect(count).to.be.within(200, 430)
  })

  describe('have a copy of the policy each', () => {
    const policiesEverywhere = async () =>
      new Set(await Promise.all(KEYS.tags.map(({ policy }) => redis.get(policy))))

    it('by the time a change is answered', async () => {
      const store = await opened()
      for (const version of [1, 2]) {
        const policy = thePolicy.make(version)
        expect(await store.writePolicy(policy, version - 1)).to.equal(true)
        expect([...(await policiesEverywhere())]).to.deep.equal([JSON.stringify(policy)])
        expect(await redis.exists(KEYS.copying)).to.equal(0)
      }
    })

    // An admin requires a second step, a server of the cluster is away: the admin is told that it failed,
    // tries again, is told that it is so already, and the users of that server go on without.
    it('where one failed: a refusal, and the next reader of the policy writes it', async () => {
      const store = await opened()
      await store.writePolicy(thePolicy.make(1), 0)
      const before = await redis.get(LAST?.policy ?? '')
      await redis.rename(LAST?.marker ?? '', 'away')
      const policy = thePolicy.make(2)
      await rejectionOf(store.writePolicy(policy, 1))
      expect(await redis.get(LAST?.policy ?? '')).to.equal(before)
      await rejectionOf(store.findPolicy())
      await rejectionOf(redisStore(second).findPolicy())
      await redis.rename('away', LAST?.marker ?? '')
      expect(await redisStore(second).findPolicy()).to.deep.equal(policy)
      expect([...(await policiesEverywhere())]).to.deep.equal([JSON.stringify(policy)])
      expect(await redis.exists(KEYS.copying)).to.equal(0)
    })

    it('where a process ended before it wrote them: written at the next start', async () => {
      const store = await opened()
      const policy = thePolicy.make(1)
      await store.writePolicy(policy, 0)
      await redis.del(LAST?.policy ?? '')
      await redis.set(KEYS.tags[7]?.policy ?? '', JSON.stringify(thePolicy.make(0)))
      await redis.del(KEYS.first.policy)
      await opened()
      expect([...(await policiesEverywhere())]).to.deep.equal([JSON.stringify(policy)])
    })

    // A server fails over and forgets the change by which an admin requires a second step: its users
    // go on by password, and every page and every check says that it is required.
    it('that differ after a failover: the newest is everywhere once the policy is read', async () => {
      const clock = { now: NOW }
      const policies = new RedisPolicy(redis, KEYS, () => clock.now)
      await opened()
      await policies.write(thePolicy.make(1), 0)
      const old = await redis.get(KEYS.first.policy)
      const newest = thePolicy.make(2)
      await policies.write(newest, 1)
      for (const { policy } of [KEYS.first, ...KEYS.tags.slice(22, 43)]) {
        await redis.set(policy, old ?? '')
      }
      clock.now += 60_000
      expect(await policies.find()).to.have.property('version', 2)
      expect([...(await policiesEverywhere())]).to.deep.equal([JSON.stringify(newest)])
    })

    // The first tag's server forgets answered changes; the next change would be decided without them.
    it('of which the first is behind: a change is decided above the newest', async () => {
      const store = await opened()
      await store.writePolicy(thePolicy.make(1), 0)
      const old = await redis.get(KEYS.first.policy)
      await store.writePolicy(thePolicy.make(2), 1)
      const newest = thePolicy.make(3)
      await store.writePolicy(newest, 2)
      await redis.set(KEYS.first.policy, old ?? '')
      const other = { ...thePolicy.make(2), writeId: 'another' }
      expect(await store.writePolicy(other, 1)).to.equal(false)
      expect([...(await policiesEverywhere())]).to.deep.equal([JSON.stringify(newest)])
      expect(await store.writePolicy(thePolicy.make(4), 3)).to.equal(true)
    })

    it('that is lost: a refusal for its users, never the default', async () => {
      const store = await opened()
      await store.writePolicy(thePolicy.make(1), 0)
      const { tag } = KEYS.place('user')
      await redis.del(tag.policy)
      expect((await rejectionOf(Promise.resolve(store.read?.('user')))).message).to.contain(
        tag.policy,
      )
    })

    it('that a late writer never puts back to an older policy', async () => {
      const store = await opened()
      const late = Object.create(redis, {
        evalsha: {
          value: async (sha: string, count: number, ...args: string[]) => {
            const isCopy = args[0] === LAST?.policy
            if (isCopy) await redisStore(second).writePolicy(thePolicy.make(2), 1)
            return redis.evalsha(sha, count, ...args)
          },
        },
      })
      await redisStore(late).writePolicy(thePolicy.make(1), 0)
      const [text = ''] = [...(await policiesEverywhere())]
      expect(await policiesEverywhere()).to.have.property('size', 1)
      expect(JSON.parse(text ?? '')).to.have.property('version', 2)
      expect(await store.findPolicy()).to.have.property('version', 2)
    })
  })

  describe('of which one lost its server', () => {
    const lostTag = KEYS.place('user').tag
    async function withLostTag() {
      const store = await opened()
      await store.write(enrolledRecord('user', 1), 0)
      await store.write(enrolledRecord('somebody else', 1), 0)
      expect(KEYS.place('somebody else').tag).not.to.equal(lostTag)
      await redis.del(lostTag.marker, lostTag.lists.all, KEYS.place('user').key)
      return store
    }

    it('refuse its users alone, and the lists', async () => {
      const store = await withLostTag()
      await rejectionOf(store.find('user'))
      await rejectionOf(store.write(enrolledRecord('user', 1), 0))
      expect(await store.find('somebody else')).to.have.property('version', 1)
      await rejectionOf(store.list({ list: 'all', cursor: null, limit: 100, now: NOW }))
    })

    it('are not trusted at the next start, and not made anew', async () => {
      await withLostTag()
      for (const production of [false, true]) {
        const error = await rejectionOf(redisStore(redis).open?.({ production }))
        expect(error).to.be.instanceOf(ConfigurationError)
        expect(error.message).to.contain('lost 1 of its markers')
      }
      await rejectionOf(makeRedisMarker(redis))
      expect(await redis.exists(lostTag.marker)).to.equal(0)
    })

    it('are made to the end where "init" was stopped half way', async () => {
      await makeRedisMarker(redis)
      await redis.del(lostTag.marker)
      expect(await makeRedisMarker(redis)).to.equal(true)
      expect(await redis.exists(lostTag.marker)).to.equal(1)
    })
  })

  describe('are paged through in turn', () => {
    it('with the documents, and nothing is written', async () => {
      const store = await opened()
      for (let user = 0; user < 30; user += 1) {
        await store.write({ ...enrolledRecord(`user-${user}`, 1), lockedUntil: NOW + user }, 0)
      }
      const { names } = await commandsDuring(async () => {
        for (const list of ['all', 'enrolled', 'on', 'locked'] as const) {
          await idsIn(store, list, 7)
          await idsIn(store, list, 100)
        }
      })
      const reads = [
        'evalsha',
        'eval',
        'get',
        'mget',
        'exists',
        'type',
        'zcount',
        'zcard',
        'zrange',
        'zrangebyscore',
        'zscore',
        'zrank',
      ]
      expect([...names].filter((name) => !reads.includes(name))).to.deep.equal([])
    })

    it('by one command for a page of a long list', async () => {
      const store = await opened()
      for (let user = 0; user < 1500; user += 1) {
        await store.write(enrolledRecord(`user-${user}`, 1), 0)
      }
      const first = await store.list({ list: 'all', cursor: null, limit: 10, now: NOW })
      const { sent } = await commandsDuring(() =>
        store.list({ list: 'enrolled', cursor: null, limit: 10, now: NOW }),
      )
      expect(sent).to.deep.equal(['evalsha'])
      const second = await commandsDuring(() =>
        store.list({ list: 'all', cursor: first?.next ?? '', limit: 10, now: NOW }),
      )
      expect(second.sent).to.deep.equal(['evalsha'])
    })

    it('by one look at each for a rare list', async () => {
      const store = await opened()
      for (let user = 0; user < 200; user += 1) {
        await store.write(enrolledRecord(`user-${user}`, 1), 0)
      }
      await store.write({ ...enrolledRecord('locked', 1), lockedUntil: NOW + 1 }, 0)
      const { sent } = await commandsDuring(() =>
        store.list({ list: 'locked', cursor: null, limit: 50, now: NOW }),
      )
      expect(sent).to.have.length(64)
    })

    it('and meet everybody once, in pages of any size', async () => {
      const store = await opened()
      const ids = Array.from({ length: 300 }, (_, user) => `user-${user}`)
      for (const id of ids) await store.write(enrolledRecord(id, 1), 0)
      for (const limit of [1, 3, 64, 100]) {
        expect((await idsIn(store, 'enrolled', limit)).sort()).to.deep.equal([...ids].sort())
      }
    })

    it('and meet everybody of one tag once, while the last of each page leaves', async () => {
      const store = await opened()
      const ids = idsOfOneTag(40)
      // Equal times, two of them: the members' bytes decide.
      for (const [at, id] of ids.entries()) {
        await store.write({ ...enrolledRecord(id, 1), lockedUntil: NOW + 1 + (at % 2) }, 0)
      }
      const met: string[] = []
      let cursor: string | null = null
      do {
        const page = await store.list({ list: 'locked', cursor, limit: 3, now: NOW })
        met.push(...(page?.records ?? []).map(({ userId }) => userId))
        const last = page?.records.at(-1)
        if (last !== undefined) await store.write(nextVersion(last, { lockedUntil: null }), 1)
        cursor = page?.next ?? null
      } while (cursor !== null)
      expect(met.sort()).to.deep.equal([...ids].sort())
    })
  })
})

function idsOfOneTag(count: number): readonly string[] {
  const ids = Array.from({ length: 200 * count }, (_, user) => `user-${user}`)
  return ids.filter((id) => KEYS.place(id).tag === KEYS.first).slice(0, count)
}
