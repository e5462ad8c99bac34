import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord } from '../../lib/testing/documents.js'
import { cli } from '../support/cli.js'
import { moduleUrl } from '../support/modules.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'

const LIB = moduleUrl('lib/index')
const USERS = Array.from({ length: 40 }, (_, nth) => `user-${nth}`)
const KEYS = redisKeys('second-step')
const { tag } = KEYS.place('user-0')
const LISTED = USERS.filter((id) => KEYS.place(id).tag === tag)

describe('the command repair', function () {
  this.timeout(30_000)
  let server: RedisServer
  let redis: Redis
  let folder: string
  let config: string
  before(async () => {
    server = await startRedisServer()
    redis = new Redis(server.url)
    folder = await mkdtemp(join(tmpdir(), 'second-step-config-'))
    config = join(folder, 'second-step.config.mjs')
    const options = '{ maxRetriesPerRequest: 1, enableOfflineQueue: false }'
    await writeFile(
      config,
      `import { Redis } from '${createRequire(import.meta.url).resolve('ioredis')}'
       import { redisStore } from '${LIB}'
       const redis = new Redis(${server.port}, '127.0.0.1', ${options})
       await new Promise((resolve) => redis.once('ready', resolve))
       export default { store: redisStore(redis) }`,
    )
    const store = redisStore(redis)
    await store.open?.({ production: false })
    for (const id of USERS) await store.write(enrolledRecord(id, 1), 0)
  })
  after(async () => {
    redis.disconnect()
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  })

  // The mistake: one list of 64 is lost, and `check` tells nothing of the others.
  it('is named by a check that reads all other records, and makes the list anew', async () => {
    await redis.del(tag.lists.all)
    const key = KEYS.place(USERS.find((id) => !LISTED.includes(id)) ?? '').key
    await redis.del(key)
    const found = await cli(['check', '--config', config])
    expect(found.code).to.equal(1)
    expect(found.stderr).to.contain(`The list ${tag.lists.all} is lost.`).and.contain('"repair"')
    expect(found.stderr).to.contain(`The record ${key} is lost.`)
    expect(found.stderr).to.contain(`Read ${USERS.length - LISTED.length - 1} records`)
    const { code, stdout } = await cli(['repair', '--config', config])
    expect([code, stdout]).to.deep.equal([
      0,
      `Made the list ${tag.lists.all} anew.\nRecords that a list had lost: ${LISTED.length}.\n`,
    ])
    const after = await cli(['check', '--config', config])
    expect(after.stderr).to.contain(`Read ${USERS.length - 1} records`)
    expect(after.stderr).not.to.contain('The list')
    const again = await cli(['repair', '--config', config])
    expect([again.code, again.stdout]).to.deep.equal([0, 'No list is lost; nothing was changed.\n'])
  })

  // The mistake: somebody took the word out of the marker, and the check of a part of the records is "all are whole".
  it('is named by a check where the marker does not know of the list any more', async () => {
    await redis.del(tag.lists.all)
    await redis.set(tag.marker, '1')
    const found = await cli(['check', '--config', config])
    expect(found.code).to.equal(1)
    expect(found.stderr).to.contain('In no list, and not read: ').and.contain('"repair"')
    expect((await cli(['repair', '--config', config])).code).to.equal(0)
    expect((await cli(['check', '--config', config])).stderr).not.to.contain('In no list')
  })

  // The mistake: the list of the locked or the paused is lost, and admins see nobody there any more.
  it('is named by a check where a list by state is lost, and makes it anew', async () => {
    const locked = 'somebody-locked'
    const record = { ...enrolledRecord(locked, 1), lockedUntil: 8_640_000_000_000_000 }
    await redisStore(redis).write(record, 0)
    const { key, hash, tag: its } = KEYS.place(locked)
    await redis.del(its.lists.locked)
    const found = await cli(['check', '--config', config])
    expect(found.code).to.equal(1)
    expect(found.stderr).to.contain(
      `Left out by a list, or in a wrong place of it: the record ${key}.`,
    )
    const { code, stdout } = await cli(['repair', '--config', config])
    expect([code, stdout]).to.deep.equal([0, 'Records that a list had lost: 1.\n'])
    expect(await redis.zscore(its.lists.locked, hash)).to.equal('8640000000000000')
    expect((await cli(['check', '--config', config])).stderr).not.to.contain('Left out')
  })

  it('has nothing to do with another store', async () => {
    const file = join(folder, 'memory.mjs')
    await writeFile(
      file,
      `import { memoryStore } from '${LIB}'; export default { store: memoryStore() }`,
    )
    const { code, stderr } = await cli(['repair', '--config', file])
    expect(code).to.equal(1)
    expect(stderr).to.contain('only redisStore')
  })
})
