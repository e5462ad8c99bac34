import { expect } from 'chai'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord } from '../../lib/testing/documents.js'
import {
  type CommandOnRedis,
  commandOnRedis,
  expectRedisOnly,
} from '../support/command-on-redis.js'
import { writeOldKeys } from '../support/records-of-version-0-1.js'

describe('the command upgrade', function () {
  this.timeout(30_000)
  let app: CommandOnRedis
  before(async () => {
    // A client that is still connecting refuses commands: the upgrade waits for it.
    app = await commandOnRedis({ connected: false })
  })
  after(() => app?.stop())

  it('is named by the other commands, moves the records, and says how many', async () => {
    const record = enrolledRecord('ann', 3)
    await writeOldKeys(app.redis, { records: [record, enrolledRecord('bob', 1)] })
    const before = await app.run('check')
    expect(before.code).to.equal(1)
    expect(before.stderr).to.contain('npx passport-second-step upgrade')
    const { code, stdout, stderr } = await app.run('upgrade')
    expect([code, stdout, stderr]).to.deep.equal([
      0,
      'Moved 2 records to the keys of this version.\n',
      '',
    ])
    const store = redisStore(app.redis)
    await store.open?.({ production: true })
    expect(await store.find('ann')).to.deep.equal(record)
    const again = await app.run('upgrade')
    expect(again.stdout).to.contain('nothing was changed')
  })

  it('has nothing to do with another store', () => expectRedisOnly('upgrade'))
})
