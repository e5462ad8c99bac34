import { expect } from 'chai'
import { Redis } from 'ioredis'
import type { AuditEntry, AuditLog, AuditQuery } from '../../lib/ports/audit-log.js'
import { redisAuditLog } from '../../lib/stores/redis-audit-log.js'
import { auditLogCases } from '../../lib/testing/index.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { rejectionOf } from './rejection.js'

const DAY = 24 * 60 * 60 * 1000

type Parts = Partial<Pick<AuditEntry, 'type' | 'user'>>

function entryAt(at: number, { type = 'enrolled', user = 'user' }: Parts = {}): AuditEntry {
  const id = `${at.toString(16).padStart(12, '0')}${'0'.repeat(18)}`
  const nobody = {
    actor: { kind: 'system', id: null },
    reason: null,
    detail: null,
    method: null,
    ip: null,
    userAgent: null,
  } as const
  return { id, at, type, user, ...nobody }
}

function entries(count: number, parts: Parts): AuditEntry[] {
  return Array.from({ length: count }, (_, index) => entryAt(DAY + index, parts))
}

async function listed(
  log: AuditLog,
  { user = 'user', limit = 100 }: Partial<AuditQuery> = {},
): Promise<AuditEntry[]> {
  const found: AuditEntry[] = []
  let cursor: string | null = null
  do {
    const page = await log.list({ user, cursor, limit })
    if (page === null) throw new Error(`the log does not know its own cursor ${cursor}`)
    found.push(...page.entries)
    cursor = page.next
  } while (cursor !== null)
  return found
}

describe('redisAuditLog', () => {
  let server: RedisServer
  let redis: Redis
  before(async () => {
    server = await startRedisServer()
    redis = new Redis(server.url, { commandTimeout: 1000, maxRetriesPerRequest: 1 })
  })
  beforeEach(() => redis.flushall())
  after(async () => {
    redis.disconnect()
    await server.stop()
  })

  describe('keeps the contract of an audit log', () => {
    for (const { name, run } of auditLogCases) {
      it(name, () => run(() => ({ log: redisAuditLog(redis) })))
    }
  })

  // Somebody who knows a password alone gives wrong codes until what changed the second step is gone
  // from the log: who set it up, and that it was disabled.
  it('keeps what changed a second step, however many wrong codes follow', async () => {
    const log = redisAuditLog(redis)
    const changes = [entryAt(1), entryAt(2, { type: 'disabled' })]
    await log.append([...changes, ...entries(600, { type: 'wrong-code' })])
    expect((await listed(log)).slice(-2)).to.deep.equal(changes.toReversed())
    expect(await listed(log)).to.have.length(102)
  })

  // An admin without a second step has changes refused, of nobody's and of other users.
  it('keeps them in the list of all too, however many changes are refused', async () => {
    const log = redisAuditLog(redis, { length: 100 })
    const changes = [entryAt(1, { type: 'policy-changed', user: null }), entryAt(2)]
    await log.append(changes)
    for (const user of [null, 'user', 'another']) {
      await log.append(entries(200, { type: 'change-refused', user }))
    }
    const all = await listed(log, { user: null })
    expect(all.slice(-2)).to.deep.equal(changes.toReversed())
    expect(all.length).to.be.within(102, 402)
  })

  it('lists both by the order in which they came, each once, on pages of any size', async () => {
    const log = redisAuditLog(redis)
    const types = ['wrong-code', 'enrolled', 'reset', 'wrong-code', 'logged-out'] as const
    const came = Array.from({ length: 40 }, (_, index) =>
      entryAt(DAY + index, { type: types[index % types.length] ?? 'enrolled' }),
    )
    await Promise.all([log.append(came), log.append(entries(30, { user: 'another' }))])
    for (const limit of [1, 2, 7, 40, 100]) {
      expect(await listed(log, { limit })).to.deep.equal(came.toReversed())
      const all = await listed(log, { user: null, limit })
      expect(all).to.have.length(70)
      expect(all.filter(({ user }) => user === 'user')).to.deep.equal(came.toReversed())
    }
  })

  it('gives an entry the same id in both its streams, and no two entries the same', async () => {
    const types = ['wrong-code', 'enrolled'] as const
    const log = redisAuditLog(redis)
    await Promise.all(
      ['a', 'b', 'c'].map((user) =>
        log.append(types.flatMap((type) => entries(20, { type, user }))),
      ),
    )
    const idsOf = async (pattern: string) => {
      const keys = await redis.keys(pattern)
      const streams = await Promise.all(keys.map((key) => redis.xrange(key, '-', '+')))
      return streams.flat().map(([id]) => id)
    }
    const all = [...(await idsOf('{*}:events')), ...(await idsOf('{*}:attempts'))]
    const ofUsers = [...(await idsOf('{*}:events:*')), ...(await idsOf('{*}:attempts:*'))]
    expect(new Set(all).size).to.equal(120)
    expect(ofUsers.toSorted()).to.deep.equal(all.toSorted())
  })

  it('adds on where the server clock went back', async () => {
    const ahead = `${Date.now() + DAY}-3`
    const entry = JSON.stringify(entryAt(1))
    await redis.xadd('{second-step}:events', ahead, 'entry', entry)
    await redis.xadd('{second-step}:attempts', ahead.replace('-3', '-4'), 'entry', entry)
    const log = redisAuditLog(redis)
    const added = [entryAt(2), entryAt(3, { type: 'wrong-code' }), entryAt(4)]
    await log.append(added)
    expect((await listed(log, { user: null })).slice(0, 3)).to.deep.equal(added.toReversed())
  })

  it('lists what was written when both were in one stream', async () => {
    const old = [entryAt(1), entryAt(2, { type: 'wrong-code' }), entryAt(3)]
    const log = redisAuditLog(redis)
    await log.append([entryAt(0)])
    const streams = await redis.keys('*')
    for (const stream of streams) {
      for (const entry of old) await redis.xadd(stream, '*', 'entry', JSON.stringify(entry))
    }
    const added = [entryAt(4, { type: 'wrong-code' }), entryAt(5)]
    await log.append(added)
    for (const user of [null, 'user']) {
      expect(await listed(log, { user, limit: 2 })).to.deep.equal(
        [entryAt(0), ...old, ...added].toReversed(),
      )
    }
  })

  it('knows no cursor that no page can have given', async () => {
    const log = redisAuditLog(redis)
    await log.append(entries(3, {}))
    for (const cursor of ['0-0', '0-1', '00-0', '01-1', '1-00', '1', '1-', `${2 ** 64}-0`]) {
      for (const user of [null, 'user']) {
        expect(await log.list({ user, cursor, limit: 1 }), cursor).to.equal(null)
      }
    }
  })

  // Somebody with a password writes events until the Redis with the records is full.
  it('is bounded by length, of all and of one user, changes and attempts', async () => {
    const log = redisAuditLog(redis, { length: 500 })
    for (const type of ['enrolled', 'wrong-code'] as const) {
      await log.append(entries(1500, { type }))
    }
    for (const [name, ofOneUser] of [
      ['events', 1000],
      ['attempts', 100],
    ] as const) {
      expect(await redis.xlen(`{second-step}:${name}`)).to.be.within(500, 700)
      const [ofUser = ''] = await redis.keys(`{second-step}:${name}:*`)
      expect(await redis.xlen(ofUser)).to.equal(ofOneUser)
    }
    expect((await listed(log))[0]?.at).to.equal(DAY + 1499)
  })

  it('is bounded by age, whatever is added later', async () => {
    const log = redisAuditLog(redis, { days: 30 })
    const before = Date.now() - 1000
    await log.append([entryAt(before), ...entries(300, { type: 'wrong-code' })])
    const streams = await redis.keys('{second-step}:*:*')
    expect(streams).to.have.length(2)
    for (const stream of streams) {
      expect(await redis.ttl(stream)).to.be.within(30 * 86_400 - 5, 30 * 86_400)
    }
    // What was added just now is 31 days old then.
    await log.append([entryAt(Date.now() + 31 * DAY)])
    expect(await listed(log)).to.deep.equal([])
    expect(await redis.xlen('{second-step}:attempts')).to.be.below(100)
  })

  it('has no user id in any key', async () => {
    await redisAuditLog(redis, { prefix: 'acme' }).append([
      entryAt(1, { user: 'ann@acme.example' }),
      entryAt(2, { user: 'ann@acme.example', type: 'wrong-code' }),
    ])
    const keys = (await redis.keys('*')).sort()
    expect(keys[0]).to.equal('{acme}:attempts')
    expect(keys[1]).to.match(/^\{acme\}:attempts:[\w-]{43}$/)
    expect(keys[2]).to.equal('{acme}:events')
    expect(keys[3]).to.match(/^\{acme\}:events:[\w-]{43}$/)
  })

  it('rejects while Redis hangs', async () => {
    const impatient = new Redis(server.url, { commandTimeout: 200, maxRetriesPerRequest: 1 })
    const log = redisAuditLog(impatient)
    await log.list({ user: null, cursor: null, limit: 1 })
    server.pause()
    const calls = [log.append([entryAt(1)]), log.list({ user: null, cursor: null, limit: 1 })]
    await Promise.all(calls.map(rejectionOf))
    server.resume()
    impatient.disconnect()
  })
})
