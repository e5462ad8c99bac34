import { expect } from 'chai'
import { Redis } from 'ioredis'
import type { AuditEntry, AuditLog, AuditQuery } from '../../lib/ports/audit-log.js'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { redisAuditLog } from '../../lib/stores/redis-audit-log.js'
import { auditLogCases } from '../../lib/testing/index.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { rejectionOf } from './rejection.js'

const DAY = 24 * 60 * 60 * 1000
const KEYS = redisKeys('second-step')
const AGENT =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36'

type Parts = Partial<Omit<AuditEntry, 'id' | 'at'>>

let made = 0

/** Entries that are made later have greater ids at the same time. */
function entryAt(at: number, parts: Parts = {}): AuditEntry {
  made += 1
  const id = `${at.toString(16).padStart(12, '0')}${made.toString(16).padStart(18, '0')}`
  const nobody = {
    actor: { kind: 'system', id: null },
    reason: null,
    detail: null,
    method: null,
    ip: null,
    userAgent: null,
  } as const
  return { id, at, type: 'enrolled', user: 'user', ...nobody, ...parts }
}

function entries(count: number, parts: Parts, from = DAY): AuditEntry[] {
  return Array.from({ length: count }, (_, index) => entryAt(from + index, parts))
}

/** Users of one hash tag. */
function usersOfOneTag(count: number): readonly string[] {
  const found: string[] = []
  for (let at = 0; found.length < count; at += 1) {
    if (KEYS.place(`user-${at}`).tag === KEYS.tags[5]) found.push(`user-${at}`)
  }
  return found
}

async function listed(
  log: AuditLog,
  { user = 'user', limit = 100, ...more }: Partial<AuditQuery> = {},
): Promise<AuditEntry[]> {
  const found: AuditEntry[] = []
  let cursor: string | null = null
  do {
    const page = await log.list({ user, cursor, limit, ...more })
    if (page === null) throw new Error(`the log does not know its own cursor ${cursor}`)
    found.push(...page.entries)
    cursor = page.next
  } while (cursor !== null)
  return found
}

function newestFirst(some: readonly AuditEntry[]): AuditEntry[] {
  return some.toSorted((one, other) => (one.id < other.id ? 1 : -1))
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

  const keyOf = (user: string, kind: 'events' | 'attempts' = 'events') => {
    const { tag, hash } = KEYS.place(user)
    return tag[kind] + hash
  }

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
    for (const user of ['user', null]) {
      const all = await listed(log, { user })
      expect(all.slice(-2)).to.deep.equal(changes.toReversed())
      expect(all).to.have.length.within(102, 118)
    }
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
    expect(all.length).to.be.within(4, 102)
  })

  // One user has so many accepted codes that those of others would be pushed out of the list of all. The
  // others are under the same hash tag, so that they share its part of the list.
  it('keeps the changes of others in the list of all, however many one user makes', async () => {
    const log = redisAuditLog(redis, { length: 64 * 40 })
    const [busy = '', ...others] = usersOfOneTag(4)
    const early = others.flatMap((user) => entries(5, { user }, 1))
    await log.append(early)
    await log.append(entries(700, { user: busy, type: 'code-accepted' }))
    const all = await listed(log, { user: null })
    expect(all.filter(({ user }) => user !== busy)).to.deep.equal(newestFirst(early))
    const ofBusy = all.filter(({ user }) => user === busy)
    expect(ofBusy).to.have.length.within(25, 41)
    expect(ofBusy[0]?.at).to.equal(DAY + 699)
    expect(await listed(log, { user: busy })).to.have.length(700)
  })

  it('gives the oldest up where more users than places share a part of it', async () => {
    const log = redisAuditLog(redis, { length: 64 * 10 })
    const users = usersOfOneTag(40)
    for (const [at, user] of users.entries()) await log.append([entryAt(DAY + at, { user })])
    const all = await listed(log, { user: null })
    expect(all).to.have.length.within(10, 26)
    expect(all.map(({ user }) => user)).to.deep.equal(users.toReversed().slice(0, all.length))
  })

  it('lists both kinds in the order of time, each once, on pages of any size', async () => {
    const log = redisAuditLog(redis)
    const types = ['wrong-code', 'enrolled', 'reset', 'wrong-code', 'logged-out'] as const
    const came = Array.from({ length: 40 }, (_, index) =>
      entryAt(DAY + index, { type: types[index % types.length] ?? 'enrolled', userAgent: AGENT }),
    )
    const others = entries(30, { user: 'another' })
    await Promise.all([log.append(came), log.append(others)])
    for (const limit of [1, 2, 7, 40, 100]) {
      expect(await listed(log, { limit })).to.deep.equal(newestFirst(came))
      expect(await listed(log, { user: null, limit })).to.deep.equal(
        newestFirst([...came, ...others]),
      )
    }
  })

  it('lists what is under many hash tags in the order of time, on pages of any size', async () => {
    const log = redisAuditLog(redis)
    // The newest are all of one user, the others of everybody: a page may need one tag alone.
    const all = [
      ...Array.from({ length: 300 }, (_, at) => entryAt(DAY + at, { user: `user-${at % 90}` })),
      ...entries(60, { user: 'user-1' }, 2 * DAY),
      ...entries(60, { user: 'user-1', type: 'wrong-code' }, 2 * DAY),
      entryAt(3 * DAY, { user: null, type: 'policy-changed' }),
    ]
    await log.append(all)
    for (const limit of [9, 50, 100]) {
      expect(await listed(log, { user: null, limit })).to.deep.equal(newestFirst(all))
    }
  })

  it('keeps the order of what came within one millisecond', async () => {
    const log = redisAuditLog(redis)
    const types = ['backup-code-used', 'backup-codes-low', 'code-accepted'] as const
    const same = types.flatMap((type) => [entryAt(DAY, { type }), entryAt(DAY, { type })])
    await log.append(same)
    for (const user of ['user', null]) {
      expect(await listed(log, { user, limit: 1 })).to.deep.equal(same.toReversed())
    }
  })

  // The clocks of two servers differ, and a client sends once more after a dropped connection.
  it('has every entry once, whole and in its place, whatever order they come in, and sent again', async () => {
    const log = redisAuditLog(redis)
    const agents = [AGENT, AGENT, null, 'another "browser"\n', '']
    const all = Array.from({ length: 60 }, (_, at) =>
      entryAt(DAY + at, {
        userAgent: agents[(at >> 1) % agents.length] ?? null,
        ip: at % 7 === 0 ? '2001:db8::1' : '192.0.2.1',
        type: at % 3 === 0 ? 'wrong-code' : 'code-accepted',
      }),
    )
    const mixed = all.map((_, at) => all[(at * 23) % 60]).flatMap((one) => one ?? [])
    for (const one of mixed) await log.append([one])
    for (const one of mixed) await log.append([one])
    for (const limit of [1, 3, 100]) {
      expect(await listed(log, { limit })).to.deep.equal(newestFirst(all))
      expect(await listed(log, { user: null, limit })).to.deep.equal(newestFirst(all))
    }
  })

  it('keeps every part of an entry', async () => {
    const log = redisAuditLog(redis)
    const until = new Date(DAY).toISOString()
    const all = [
      entryAt(1, { actor: { kind: 'user', id: 'user' }, method: 'totp', ip: '192.0.2.1' }),
      entryAt(2, { actor: { kind: 'user', id: 'another' }, method: 'none' }),
      entryAt(3, { actor: { kind: 'admin', id: 'root' }, reason: '"', detail: { until } }),
      entryAt(4, { actor: { kind: 'operator', id: null }, userAgent: '"', reason: '' }),
      entryAt(5, { ip: '""', userAgent: 'a\u2028\u0000\\n\ud800 é \u{1f511}' }),
      { ...entryAt(6), at: 7 },
      entryAt(8, { type: 'constructor' as 'reset', method: 'toString' as 'totp' }),
    ]
    await log.append(all)
    expect(await listed(log)).to.deep.equal(all.toReversed())
    expect(await listed(log, { user: null, limit: 2 })).to.deep.equal(all.toReversed())
  })

  // A user agent of 256 characters, twice per entry, would be most of the log.
  it('writes a user agent once where it stays the same', async () => {
    const log = redisAuditLog(redis)
    await log.append(entries(40, { userAgent: AGENT, ip: '192.0.2.1' }))
    const stored = await redis.lrange(keyOf('user'), 0, -1)
    expect(stored.filter((text) => text.includes('Mozilla'))).to.have.length(3)
    expect((await listed(log)).every(({ userAgent }) => userAgent === AGENT)).to.equal(true)
  })

  it('knows no cursor that no page can have given', async () => {
    const log = redisAuditLog(redis)
    await log.append(entries(3, {}))
    for (const cursor of ['0-0', '1', '', 'f'.repeat(29), 'F'.repeat(30), `${'0'.repeat(30)} `]) {
      for (const user of [null, 'user']) {
        expect(await log.list({ user, cursor, limit: 1 }), cursor).to.equal(null)
      }
    }
  })

  // Somebody with a password writes events until the Redis with the records is full.
  it('is bounded by length, of all and of one user, changes and attempts', async () => {
    const log = redisAuditLog(redis, { length: 64 * 200 })
    const { tag } = KEYS.place('user')
    for (const type of ['enrolled', 'wrong-code'] as const) {
      await log.append(entries(1500, { type }))
    }
    expect(await redis.llen(tag.allEvents)).to.be.within(200, 225)
    expect(await redis.llen(tag.allAttempts)).to.be.within(100, 225)
    expect(await redis.llen(keyOf('user'))).to.be.within(1000, 1015)
    expect(await redis.llen(keyOf('user', 'attempts'))).to.be.within(100, 115)
    const found = await listed(log)
    expect(found[0]?.at).to.equal(DAY + 1499)
    expect(found.at(-1)?.at).to.be.within(DAY + 480, DAY + 500)
  })

  it('is bounded by age', async () => {
    const log = redisAuditLog(redis, { days: 30 })
    const now = 100 * DAY
    const [old, attempt] = [entryAt(now - 1), entryAt(now, { type: 'wrong-code' })]
    await log.append([old, attempt])
    const names = await redis.keys('*')
    expect(names).to.have.length(5)
    for (const name of names) {
      expect(await redis.ttl(name)).to.be.within(30 * 86_400, 31 * 86_400)
    }
    const added = entryAt(now + 30 * DAY)
    await log.append([added])
    expect(await redis.llen(keyOf('user'))).to.equal(1)
    expect(await redis.llen(KEYS.place('user').tag.allEvents)).to.equal(1)
    for (const user of ['user', null]) {
      expect(await listed(log, { user })).to.deep.equal([added, attempt])
      expect(await listed(log, { user, now: now + 30 * DAY, limit: 1 })).to.deep.equal([
        added,
        attempt,
      ])
      expect(await listed(log, { user, now: now + 30 * DAY + 1 })).to.deep.equal([added])
      expect(await listed(log, { user, now: now + 61 * DAY })).to.deep.equal([])
    }
  })

  // The mistake: the clock of one process is 100 days ahead, and its next entry empties the log.
  it('keeps what is not too old, whatever the clock of the process that adds to it', async () => {
    const log = redisAuditLog(redis)
    const now = Date.now()
    const kept = entries(40, {}, now)
    const attempt = entryAt(now, { type: 'wrong-code' })
    const others = entries(40, { user: 'other' }, now)
    await log.append([...kept, attempt])
    await log.append(others)
    const ahead = [entryAt(now + 100 * DAY), entryAt(now + 100 * DAY, { type: 'wrong-code' })]
    await log.append(ahead)
    expect(await listed(log)).to.deep.equal(newestFirst([...kept, attempt, ...ahead]))
    const all = [...kept, attempt, ...others, ...ahead]
    expect(await listed(log, { user: null })).to.deep.equal(newestFirst(all))
  })

  it('counts attempts by day in bounded room, whatever the clock of a process', async () => {
    const log = redisAuditLog(redis)
    const now = Date.now()
    const today = Math.floor(now / DAY)
    const wrong = (at: number) => entryAt(at, { type: 'wrong-code' })
    await log.append([wrong(now), wrong(now + 1000 * DAY)])
    await log.append(Array.from({ length: 90 }, (_, past) => wrong(now - past * DAY)))
    const { days } = KEYS.place('user').tag
    expect(await redis.hlen(days)).to.be.within(36, 72)
    expect(await log.attemptsOf?.(today)).to.deep.equal({ accepted: 0, wrong: 2 })
    expect(await log.attemptsOf?.(today - 29)).to.deep.equal({ accepted: 0, wrong: 1 })
    expect(await log.attemptsOf?.(today - 60)).to.deep.equal({ accepted: 0, wrong: 0 })
  })

  it('counts no entry twice that is sent again', async () => {
    const log = redisAuditLog(redis)
    const accepted = entryAt(DAY, { type: 'code-accepted' })
    for (let sent = 0; sent < 3; sent += 1) await log.append([accepted])
    expect(await log.attemptsOf?.(1)).to.deep.equal({ accepted: 1, wrong: 0 })
  })

  it('writes nothing when it is read', async () => {
    const log = redisAuditLog(redis)
    await log.append(entries(30, { user: 'ann' }))
    const written = async () =>
      (await redis.info('persistence')).match(/changes_since.*:(\d+)/)?.[1]
    const before = await written()
    for (const user of ['ann', 'nobody', null]) await listed(log, { user, limit: 4 })
    expect(await written()).to.equal(before)
  })

  it('has no user id in any key', async () => {
    await redisAuditLog(redis, { prefix: 'acme' }).append([
      entryAt(1, { user: 'ann@acme.example' }),
      entryAt(2, { user: 'ann@acme.example', type: 'wrong-code' }),
    ])
    const keys = (await redis.keys('*')).sort()
    expect(keys[0]).to.match(/^acme:\{\d+\}:attempts$/)
    expect(keys[1]).to.match(/^acme:\{\d+\}:attempts:[\w-]{16}$/)
    expect(keys[2]).to.match(/^acme:\{\d+\}:days$/)
    expect(keys[3]).to.match(/^acme:\{\d+\}:events$/)
    expect(keys[4]).to.match(/^acme:\{\d+\}:events:[\w-]{16}$/)
  })

  it('refuses what it cannot read', async () => {
    const log = redisAuditLog(redis)
    await log.append([entryAt(1)])
    const [text = ''] = await redis.lrange(keyOf('user'), 0, 0)
    for (const damaged of [text.slice(0, 22), text.replace('as-', 'a?-'), `${text}\n{`, '']) {
      await redis.del(keyOf('user'))
      await redis.lpush(keyOf('user'), damaged)
      await rejectionOf(log.list({ user: 'user', cursor: null, limit: 1 }))
    }
  })

  it('rejects while Redis hangs', async () => {
    const impatient = new Redis(server.url, { commandTimeout: 1000, maxRetriesPerRequest: 1 })
    const log = redisAuditLog(impatient)
    await log.list({ user: null, cursor: null, limit: 1 })
    server.pause()
    const calls = [log.append([entryAt(1)]), log.list({ user: null, cursor: null, limit: 1 })]
    await Promise.all(calls.map(rejectionOf))
    server.resume()
    impatient.disconnect()
  })
})
