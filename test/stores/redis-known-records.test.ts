// The attack: a session that was revoked is used again while this process still has the record from before, in
// memory. And the mistake: what one request does to a record shows in another.

import { expect } from 'chai'
import { BrokenRecordError } from '../../lib/domain/parse-record.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { encodeRecord } from '../../lib/domain/record-bytes.js'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { KnownRecords } from '../../lib/stores/redis-known-records.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord } from '../../lib/testing/documents.js'
import { redisOfASuite } from '../support/redis-of-a-suite.js'
import { rejectionOf } from './rejection.js'

const { key: KEY } = redisKeys('second-step').place('user')

describe('a record that was read before', () => {
  const { redis } = redisOfASuite()

  async function readOnce(record: SecondStepRecord) {
    const store = redisStore(redis)
    await store.open?.({ production: false })
    await store.write(record, 0)
    const read = async () => (await store.read?.('user'))?.record
    expect(await read()).to.deep.equal(record)
    return { store, read }
  }

  it('is not decoded again while its bytes are the same', async () => {
    const { read } = await readOnce(enrolledRecord('user', 1))
    expect(await read()).to.equal(await read())
  })

  it('is not decoded again for the code after the login that has read it', async () => {
    const { store } = await readOnce(enrolledRecord('user', 1))
    const fresh = redisStore(redis)
    const atLogin = await fresh.read?.('user', { atLogin: true })
    expect((await fresh.read?.('user'))?.record).to.equal(atLogin?.record)
    await store.write({ ...enrolledRecord('user', 2), epoch: 7 }, 1)
    expect((await fresh.read?.('user', { atLogin: true }))?.record?.epoch).to.equal(7)
  })

  it('is seen as another process has changed it', async () => {
    const { read } = await readOnce(enrolledRecord('user', 1))
    const revoked = { ...enrolledRecord('user', 2), epoch: 7 }
    await redisStore(redis).write(revoked, 1)
    expect(await read()).to.deep.equal(revoked)
  })

  it('is seen as changed where it is as long as before', async () => {
    const { read } = await readOnce({ ...enrolledRecord('user', 1), epoch: 7 })
    const revoked = { ...enrolledRecord('user', 1), epoch: 8 }
    await redis.set(KEY, encodeRecord(revoked))
    expect(await read()).to.deep.equal(revoked)
  })

  it('is refused once a byte of it was damaged, or it is gone', async () => {
    const { read } = await readOnce(enrolledRecord('user', 1))
    const bytes = encodeRecord(enrolledRecord('user', 1))
    bytes[20] = (bytes[20] ?? 0) ^ 1
    await redis.set(KEY, bytes)
    expect(await rejectionOf(read())).to.be.instanceOf(BrokenRecordError)
    await redis.del(KEY)
    expect(await rejectionOf(read())).to.be.instanceOf(BrokenRecordError)
  })

  it('cannot be changed by who reads it', async () => {
    const { read } = await readOnce(enrolledRecord('user', 1))
    const record = await read()
    expect(() => Object.assign(record ?? {}, { epoch: 0 })).to.throw(TypeError)
    expect(() => Object.assign(record?.attempts ?? {}, { consecutive: 0 })).to.throw(TypeError)
    expect(() => Object.assign(record?.authenticators ?? [], { length: 0 })).to.throw(TypeError)
  })

  it('is kept for some users only', () => {
    const known = new KnownRecords()
    const bytes = encodeRecord(enrolledRecord('user', 1))
    const first = known.recordOf('key', bytes)
    for (let user = 1; user < 1000; user += 1) known.recordOf(`key ${user}`, bytes)
    expect(known.recordOf('key', bytes)).to.equal(first)
    known.recordOf('one more', bytes)
    expect(known.recordOf('key', bytes)).to.not.equal(first)
  })
})
