import { expect } from 'chai'
import type { ScriptClient } from '../../lib/redis/redis-client.js'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { RedisPolicy } from '../../lib/stores/redis-policy.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord, serialClaim, thePolicy } from '../../lib/testing/documents.js'
import { auditEntry } from '../support/audit-entry.js'
import { redisOfASuite } from '../support/redis-of-a-suite.js'
import { warningsDuring } from '../support/warnings.js'
import { rejectionOf } from './rejection.js'

const KEYS = redisKeys('second-step')

describe('redisStore with durability', () => {
  const { redis } = redisOfASuite()

  const durable = () => redisStore(redis, { durability: { replicas: 1, within: 1 } })
  async function opened() {
    const store = durable()
    await store.open?.({ production: false })
    return store
  }

  it('opens without replicas, and warns', async () => {
    const said = await warningsDuring(opened)
    expect(said.join('\n')).to.contain('durability').and.contain('No replica')
  })

  // There is no replica: what does not wait for one would be forgotten by a failover.
  it('refuses each write that no replica has, which has taken place then', async () => {
    const { write, writeWith, writePolicy, writeSerial, counters, audit } = await opened()
    const entry = auditEntry('with entries')
    for (const call of [
      () => write(enrolledRecord('user', 1), 0),
      () => writeWith?.run(enrolledRecord('with entries', 1), 0, [entry]),
      () => writePolicy(thePolicy.make(1), 0),
      () => writeSerial?.(serialClaim('A', 1), 0),
      () => audit?.append([auditEntry('alone')]),
      () => counters?.counter('try', 60).take('key', 5),
      () => counters?.takeAll?.([{ name: 'try', seconds: 60, key: 'key', limit: 5 }], []),
    ]) {
      expect((await rejectionOf(call())).message).to.contain('0 of 1 replicas')
    }
    const { find, findPolicy } = redisStore(redis)
    expect(await find('user')).to.have.property('version', 1)
    expect(await find('with entries')).to.have.property('version', 1)
    expect(await findPolicy()).to.have.property('version', 1)
    expect(await counters?.counter('try', 60).taken('key')).to.equal(2)
  })

  it('waits with the decision on a policy, and with each copy', async () => {
    await opened()
    const written: string[] = []
    const note = (_: string, __: number, key?: unknown) => void written.push(String(key))
    const writer: ScriptClient = {
      eval: async (...args) => {
        note(...args)
        return redis.eval(...args)
      },
      evalsha: async () => Promise.reject(new Error('NOSCRIPT')),
    }
    const policy = new RedisPolicy(redis, KEYS, undefined, writer)
    expect(await policy.write(thePolicy.make(1), 0)).to.equal(true)
    expect(written).to.deep.equal(KEYS.tags.map(({ policy }) => policy))
  })

  it('waits for no replica where it only reads, or gives places back', async () => {
    const { find, findPolicy, counters } = await opened()
    expect([await find('user'), await findPolicy()]).to.deep.equal([null, null])
    const counter = counters?.counter('try', 60)
    await counter?.giveBack('key')
    expect(await counter?.taken('key')).to.equal(0)
  })

  it('says that it waits, so that no repeated change is answered by what no replica has', async () => {
    expect(redisStore(redis)).to.have.property('waitsForReplicas', false)
    const { write, writePolicy, writeSerial, waitsForReplicas } = await opened()
    expect(waitsForReplicas).to.equal(true)
    for (const call of [
      () => write(enrolledRecord('user', 1), 0),
      () => writePolicy(thePolicy.make(1), 0),
      () => writeSerial?.(serialClaim('A', 1), 0),
    ]) {
      for (const _ of ['first', 'again']) {
        expect((await rejectionOf(call())).message).to.contain('0 of 1 replicas')
      }
    }
  })

  // What took place after all would be a change behind a 503.
  it('sends no write that has waited for longer than a call may take, in any app of the store', async () => {
    const store = durable()
    for (const timeout of [60, 30_000]) await store.open?.({ production: false, timeout })
    const { now } = performance
    const counter = store.counters?.counter('late', 60)
    const refused = [store.write(enrolledRecord('user', 1), 0), counter?.take('key', 5)]
    const reasons = Promise.all(refused.map((write) => rejectionOf(write)))
    performance.now = () => now.call(performance) + 100
    try {
      for (const { message } of await reasons) expect(message).to.contain('not sent')
    } finally {
      performance.now = now
    }
    expect(await store.find('user')).to.equal(null)
  })

  // After a dropped connection the client sends a write again. WAIT covers what its own connection has
  // written: if nothing were written now, it would count replicas that do not have the first write.
  it('writes what is stored once more for a write that was sent again', async () => {
    const { write } = redisStore(redis)
    const again = enrolledRecord('user', 1)
    await opened()
    await write(again, 0)
    expect(await setsDuring(() => write(again, 0))).to.deep.equal([true, 1])
    await write(enrolledRecord('user', 2), 1)
    expect(await setsDuring(() => write(again, 0))).to.deep.equal([false, 1])
    expect(await redisStore(redis).find('user')).to.have.property('version', 2)
  })

  async function setsDuring(write: () => Promise<boolean>): Promise<readonly [boolean, number]> {
    await redis.config('RESETSTAT')
    const answer = await write()
    const stats = await redis.info('commandstats')
    return [answer, Number(/^cmdstat_set:calls=(\d+)/m.exec(stats)?.[1] ?? 0)]
  }
})
