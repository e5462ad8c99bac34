import { expect } from 'chai'
import { knexStore, migrateSecondStep, redisStore } from '../../lib/index.js'
import { TABLES } from '../../lib/stores/knex-client.js'
import { enrolledRecord } from '../../lib/testing/documents.js'
import { SQLITE } from '../support/databases.js'
import { makeHost } from '../support/host.js'
import { redisOfASuite } from '../support/redis-of-a-suite.js'
import { warningsDuring } from '../support/warnings.js'

describe('health() of an app in Redis', () => {
  const { redis } = redisOfASuite()

  const changes = async () => /rdb_changes_since_last_save:\d+/.exec(await redis.info())?.[0]

  // Redis was emptied while the app runs: every user would look as if they had no second step.
  it('is well until Redis is emptied, and changes nothing there', async () => {
    const store = redisStore(redis)
    const { secondStep } = makeHost({ options: { store } })
    await store.open?.({ production: false })
    await store.write(enrolledRecord('ann', 1), 0)
    const before = await changes()
    const { ok, parts } = await secondStep.health()
    expect(parts).to.include({
      store: 'ok',
      counters: 'ok',
      audit: 'ok',
      marker: 'ok',
      migration: 'ok',
    })
    expect(ok).to.equal(true)
    expect(await changes()).to.equal(before)

    await redis.flushall()
    const warnings = await warningsDuring(async () => {
      const health = await secondStep.health()
      expect(health.ok).to.equal(false)
      expect(health.parts).to.include({ store: 'away', marker: 'away', counters: 'ok' })
    })
    expect(warnings.join()).to.match(/Redis has no key "second-step:\{\d+\}:marker"/)
    expect(await redis.dbsize()).to.equal(0)
    await secondStep.close()
  })
})

describe('health() of an app in a database', () => {
  it('says whether the tables are those of this version', async () => {
    const database = await SQLITE.start()
    const db = database.connect()
    const { secondStep } = makeHost({ options: { store: knexStore(db) } })
    const warnings = await warningsDuring(async () => {
      const { ok, parts } = await secondStep.health()
      expect(ok).to.equal(false)
      expect(parts).to.include({ store: 'away', migration: 'away', marker: 'not-asked' })
    })
    expect(warnings.join()).to.contain('passport-second-step migrate')

    await migrateSecondStep(db)
    const { ok, parts } = await secondStep.health()
    expect(ok).to.equal(true)
    expect(parts).to.include({ store: 'ok', counters: 'ok', audit: 'ok', migration: 'ok' })

    // A restored backup of the version before.
    await db(TABLES.schema).delete()
    await warningsDuring(async () => {
      expect((await secondStep.health()).parts).to.include({ store: 'ok', migration: 'away' })
    })
    await database.stop()
  })
})
