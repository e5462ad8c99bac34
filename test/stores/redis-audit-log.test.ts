import { expect } from 'chai'
import { Redis } from 'ioredis'
import type { AuditEntry } from '../../lib/ports/audit-log.js'
import { redisAuditLog } from '../../lib/stores/redis-audit-log.js'
import { auditLogCases } from '../../lib/testing/index.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { rejectionOf } from './rejection.js'

const DAY = 24 * 60 * 60 * 1000

function entryAt(at: number, user = 'user'): AuditEntry {
  const id = `${at.toString(16).padStart(12, '0')}${'0'.repeat(18)}`
  const nobody = {
    actor: { kind: 'system', id: null },
    reason: null,
    detail: null,
    method: null,
    ip: null,
    userAgent: null,
  } as const
  return { id, at, type: 'logged-out', user, ...nobody }
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

  // Somebody with a password writes events until the Redis with the records is full.
  it('is bounded by length, of all and of one user', async () => {
    const log = redisAuditLog(redis, { length: 500 })
    for (let at = 1; at <= 1500; at += 1) await log.append([entryAt(DAY + at)])
    expect(await redis.xlen('{second-step}:events')).to.be.within(500, 700)
    const [ofUser = ''] = await redis.keys('{second-step}:events:*')
    expect(await redis.xlen(ofUser)).to.equal(100)
    const page = await log.list({ user: 'user', cursor: null, limit: 1 })
    expect(page?.entries[0]?.at).to.equal(DAY + 1500)
  })

  it('is bounded by age', async () => {
    const log = redisAuditLog(redis, { days: 30 })
    await log.append([entryAt(Date.now() - 1000)])
    const [ofUser = ''] = await redis.keys('{second-step}:events:*')
    expect(await redis.ttl(ofUser)).to.be.within(30 * 86_400 - 5, 30 * 86_400)
    // What was added just now is 31 days old then.
    await log.append([entryAt(Date.now() + 31 * DAY)])
    const page = await log.list({ user: 'user', cursor: null, limit: 10 })
    expect(page?.entries).to.deep.equal([])
  })

  it('has no user id in any key', async () => {
    await redisAuditLog(redis, { prefix: 'acme' }).append([entryAt(1, 'ann@acme.example')])
    const keys = (await redis.keys('*')).sort()
    expect(keys[0]).to.equal('{acme}:events')
    expect(keys[1]).to.match(/^\{acme\}:events:[\w-]{43}$/)
  })

  it('rejects while Redis hangs', async () => {
    const log = redisAuditLog(redis)
    server.pause()
    const calls = [log.append([entryAt(1)]), log.list({ user: null, cursor: null, limit: 1 })]
    await Promise.all(calls.map(rejectionOf))
    server.resume()
  })
})
