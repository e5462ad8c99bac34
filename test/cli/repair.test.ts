import { expect } from 'chai'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord } from '../../lib/testing/documents.js'
import {
  type CommandOnRedis,
  commandOnRedis,
  expectRedisOnly,
} from '../support/command-on-redis.js'

const USERS = Array.from({ length: 40 }, (_, nth) => `user-${nth}`)
const KEYS = redisKeys('second-step')
const { tag } = KEYS.place('user-0')
const LISTED = USERS.filter((id) => KEYS.place(id).tag === tag)

describe('the command repair', function () {
  this.timeout(30_000)
  let app: CommandOnRedis
  before(async () => {
    app = await commandOnRedis({ connected: true })
    const store = redisStore(app.redis)
    await store.open?.({ production: false })
    for (const id of USERS) await store.write(enrolledRecord(id, 1), 0)
  })
  after(() => app?.stop())

  // The mistake: one list of 64 is lost, and `check` tells nothing of the others.
  it('is named by a check that reads all other records, and makes the list anew', async () => {
    await app.redis.del(tag.lists.all)
    const key = KEYS.place(USERS.find((id) => !LISTED.includes(id)) ?? '').key
    await app.redis.del(key)
    const found = await app.run('check')
    expect(found.code).to.equal(1)
    expect(found.stderr).to.contain(`The list ${tag.lists.all} is lost.`).and.contain('"repair"')
    expect(found.stderr).to.contain(`The record ${key} is lost.`)
    expect(found.stderr).to.contain(`Read ${USERS.length - LISTED.length - 1} records`)
    const { code, stdout } = await app.run('repair')
    expect([code, stdout]).to.deep.equal([
      0,
      `Made the list ${tag.lists.all} anew.\nRecords that a list had lost: ${LISTED.length}.\n`,
    ])
    const after = await app.run('check')
    expect(after.stderr).to.contain(`Read ${USERS.length - 1} records`)
    expect(after.stderr).not.to.contain('The list')
    const again = await app.run('repair')
    expect([again.code, again.stdout]).to.deep.equal([0, 'No list is lost; nothing was changed.\n'])
  })

  // The mistake: somebody took the word out of the marker, and the check of a part of the records is "all are whole".
  it('is named by a check where the marker does not know of the list any more', async () => {
    await app.redis.del(tag.lists.all)
    await app.redis.set(tag.marker, '1')
    const found = await app.run('check')
    expect(found.code).to.equal(1)
    expect(found.stderr).to.contain('In no list, and not read: ').and.contain('"repair"')
    expect((await app.run('repair')).code).to.equal(0)
    expect((await app.run('check')).stderr).not.to.contain('In no list')
  })

  // The mistake: the list of the locked or the paused is lost, and admins see nobody there any more.
  it('is named by a check where a list by state is lost, and makes it anew', async () => {
    const locked = 'somebody-locked'
    const record = { ...enrolledRecord(locked, 1), lockedUntil: 8_640_000_000_000_000 }
    await redisStore(app.redis).write(record, 0)
    const { key, hash, tag: its } = KEYS.place(locked)
    await app.redis.del(its.lists.locked)
    const found = await app.run('check')
    expect(found.code).to.equal(1)
    expect(found.stderr).to.contain(
      `Left out by a list, or in a wrong place of it: the record ${key}.`,
    )
    const { code, stdout } = await app.run('repair')
    expect([code, stdout]).to.deep.equal([0, 'Records that a list had lost: 1.\n'])
    expect(await app.redis.zscore(its.lists.locked, hash)).to.equal('8640000000000000')
    expect((await app.run('check')).stderr).not.to.contain('Left out')
  })

  it('has nothing to do with another store', () => expectRedisOnly('repair'))
})
