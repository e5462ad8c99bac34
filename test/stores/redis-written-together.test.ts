// The attack: a code is used up by a write whose entry in the audit log is lost, or an entry tells of a write
// that never took place.

import { expect } from 'chai'
import type { AuditEntry } from '../../lib/ports/audit-log.js'
import type { WriteWithEntries } from '../../lib/ports/record-store.js'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord, nextVersion } from '../../lib/testing/documents.js'
import { browserOf, enrol, signIn } from '../support/browser.js'
import { ann, makeHost } from '../support/host.js'
import { redisOfASuite } from '../support/redis-of-a-suite.js'
import { rejectionOf } from './rejection.js'

const KEYS = redisKeys('second-step')

function entry(user: string, type: AuditEntry['type'] = 'code-accepted'): AuditEntry {
  const id = '019b932e17300024eaf57fda8e09c9'
  const at = Number.parseInt(id.slice(0, 12), 16)
  const more = { method: 'totp', ip: null, userAgent: null, reason: null, detail: null } as const
  return { id, at, type, user, actor: { kind: 'user', id: user }, ...more }
}

describe('a record and its entries in Redis', () => {
  const { redis, second } = redisOfASuite()

  async function opened() {
    const store = redisStore(redis)
    await store.open?.({ production: false })
    const { writeWith } = store
    if (writeWith === undefined) throw new Error('redisStore has no writeWith')
    return { store, writeWith }
  }

  const logged = async ({ audit }: WriteWithEntries, user: string) =>
    (await audit.list({ user, cursor: null, limit: 100 }))?.entries

  it('are one command, which an accepted code takes too', async () => {
    const { store } = await opened()
    const host = makeHost({ options: { store } })
    const enrolment = await enrol(host, ann)
    const writes: string[] = []
    const monitor = await second.monitor()
    monitor.on('monitor', (_time: string, args: string[], source: string) => {
      if (source !== 'lua' && args.some((arg) => arg.includes('}:events:')))
        writes.push(args[2] ?? '')
    })
    await signIn(browserOf(host), ann, enrolment)
    const { key, tag, hash } = KEYS.place('ann')
    await redis.get('the end')
    expect(writes).to.deep.equal(['11'])
    expect(await redis.llen(tag.events + hash)).to.equal(2)
    expect(await redis.exists(key)).to.equal(1)
    monitor.disconnect()
  })

  it('are there both or neither, where the log cannot take an entry', async () => {
    const { store, writeWith } = await opened()
    await store.write(enrolledRecord('user', 1), 0)
    const { tag, hash } = KEYS.place('user')
    for (const name of [tag.events + hash, tag.attempts + hash, tag.allEvents, tag.allAttempts]) {
      await redis.set(name, 'no list')
      const entries = [entry('user'), { ...entry('user', 'wrong-code'), id: '0'.repeat(30) }]
      const next = nextVersion(enrolledRecord('user', 1), {})
      await rejectionOf(writeWith.run(next, 1, entries))
      expect(await store.find('user')).to.have.property('version', 1)
      await redis.del(name)
      expect(await logged(writeWith, 'user')).to.deep.equal([])
    }
  })

  it('are refused where an entry is about somebody else', async () => {
    const { store, writeWith } = await opened()
    await rejectionOf(writeWith.run(enrolledRecord('user', 1), 0, [entry('another')]))
    expect(await store.find('user')).to.equal(null)
  })

  it('are written where an older entry is damaged', async () => {
    const { writeWith } = await opened()
    const { tag, hash } = KEYS.place('user')
    await redis.lpush(tag.events + hash, 'damaged')
    await redis.lpush(tag.allEvents, 'damaged')
    expect(await writeWith.run(enrolledRecord('user', 1), 0, [entry('user')])).to.equal(true)
    expect(await redis.llen(tag.events + hash)).to.equal(2)
  })

  it('are appended once, whoever sends them again after others', async () => {
    const { writeWith } = await opened()
    const [first, later] = [enrolledRecord('user', 1), enrolledRecord('user', 2)]
    const entries = [entry('user')]
    await writeWith.run(first, 0, entries)
    expect(await writeWith.run(later, 1, [])).to.equal(true)
    expect(await writeWith.run(first, 0, entries)).to.equal(false)
    await writeWith.audit.append(entries)
    expect(await logged(writeWith, 'user')).to.deep.equal(entries)
  })
})
