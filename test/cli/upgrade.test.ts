import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord } from '../../lib/testing/documents.js'
import { cli } from '../support/cli.js'
import { moduleUrl } from '../support/modules.js'
import { writeOldKeys } from '../support/records-of-version-0-1.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'

const LIB = moduleUrl('lib/index')

describe('the command upgrade', function () {
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
       export default { store: redisStore(new Redis(${server.port}, '127.0.0.1', ${options})) }`,
    )
  })
  after(async () => {
    redis.disconnect()
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it('is named by the other commands, moves the records, and says how many', async () => {
    const record = enrolledRecord('ann', 3)
    await writeOldKeys(redis, { records: [record, enrolledRecord('bob', 1)] })
    const before = await cli(['check', '--config', config])
    expect(before.code).to.equal(1)
    expect(before.stderr).to.contain('npx passport-second-step upgrade')
    const { code, stdout, stderr } = await cli(['upgrade', '--config', config])
    expect([code, stdout, stderr]).to.deep.equal([
      0,
      'Moved 2 records to the keys of this version.\n',
      '',
    ])
    const store = redisStore(redis)
    await store.open?.({ production: true })
    expect(await store.find('ann')).to.deep.equal(record)
    const again = await cli(['upgrade', '--config', config])
    expect(again.stdout).to.contain('nothing was changed')
  })

  it('has nothing to do with another store', async () => {
    const file = join(folder, 'memory.mjs')
    await writeFile(
      file,
      `import { memoryStore } from '${LIB}'; export default { store: memoryStore() }`,
    )
    const { code, stderr } = await cli(['upgrade', '--config', file])
    expect(code).to.equal(1)
    expect(stderr).to.contain('only redisStore')
  })
})
