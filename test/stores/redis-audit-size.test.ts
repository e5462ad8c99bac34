// The mistake: an audit log that takes several times as much of the memory as the records beside it. And the
// attack: somebody with a password fills the Redis, where nothing may be evicted.

import { randomBytes, randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { type AuditEntry, redisAuditLog, redisStore } from '../../lib/index.js'
import { browserOf, enrol, signIn } from '../support/browser.js'
import { DAY } from '../support/clock.js'
import { makeHost } from '../support/host.js'
import { redisOfASuite } from '../support/redis-of-a-suite.js'

const AGENTS = {
  'a browser on a computer':
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
  'a browser on a telephone':
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
}

const NAMED = { name: 'Spare phone of Ann', serial: null }

describe('the size of the audit log in Redis', () => {
  const { redis } = redisOfASuite()

  /** Of all keys of the log. */
  async function bytes(): Promise<number> {
    const keys = (await redis.keys('*')).filter((key) => /:(events|attempts)(:|$)/.test(key))
    const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)))
    return sizes.reduce<number>((sum, size) => sum + Number(size), 0)
  }

  /** What a set-up and a login, a day later, write about one user. */
  async function entriesOfAUser(agent: string): Promise<readonly AuditEntry[]> {
    const user = { id: randomUUID(), name: 'Ann', password: 'ann-password' }
    const store = redisStore(redis)
    const host = makeHost({ users: [user], options: { store } })
    const browser = browserOf(host).set('User-Agent', agent)
    const enrolment = await enrol(host, user, browser)
    await browser.post('/second-step/backup-codes/saved').expect(303)
    host.system.advance(DAY)
    await signIn(browserOf(host).set('User-Agent', agent), user, enrolment)
    const page = await store.audit?.list({ user: user.id, cursor: null, limit: 10 })
    return (page?.entries ?? []).toReversed()
  }

  for (const [name, agent] of Object.entries(AGENTS)) {
    it(`is at most 700 bytes a user after a set-up and a login with ${name}`, async () => {
      const entries = await entriesOfAUser(agent)
      expect(entries.map(({ type }) => type)).to.deep.equal([
        'enrolled',
        'backup-codes-saved',
        'code-accepted',
      ])
      expect(entries.every(({ userAgent }) => userAgent === agent)).to.equal(true)
      await redis.flushall()
      // Three of each tag, of a million that share what is common.
      const log = redisAuditLog(redis)
      const users = 192
      for (let user = 0; user < users; user += 1) {
        const id = randomUUID()
        for (const entry of entries) {
          const parts = {
            user: id,
            actor: { kind: 'user', id },
            ip: '2001:db8:85a3::8a2e:370:7334',
            // As if each had two devices.
            ...(entry.type === 'code-accepted' ? { detail: NAMED } : {}),
          }
          await log.append([{ ...entry, ...parts } as AuditEntry])
        }
      }
      expect((await bytes()) / users).to.be.at.most(700)
    })
  }

  it('is bounded, whatever somebody sends', async () => {
    const log = redisAuditLog(redis)
    const user = randomUUID()
    const types = ['code-accepted', 'wrong-code', 'change-refused'] as const
    for (let at = 0; at < 9000; at += 100) {
      const some = Array.from({ length: 100 }, (_, index): AuditEntry => {
        const now = 1_800_000_000_000 + at + index
        const id = now.toString(16).padStart(12, '0') + randomBytes(9).toString('hex')
        const type = types[index % types.length] ?? 'wrong-code'
        const userAgent = randomBytes(128).toString('hex')
        const more = { method: null, reason: null, detail: null, ip: `2001:db8::${index}` }
        return { id, at: now, type, user, actor: { kind: 'user', id: user }, userAgent, ...more }
      })
      await log.append(some)
    }
    expect(await bytes()).to.be.below(600_000)
  })
})
