// The attack: PostgreSQL's only synchronous standby is away. Strangers try passwords, and each count leaves a connection
// of the server that waits for the standby, until the server has none left for anybody.

import { expect } from 'chai'
import type { Knex } from 'knex'
import { knexCounters } from '../../lib/limits/knex-counters.js'
import { migrateSecondStep } from '../../lib/stores/knex-migrations.js'
import { knexStore } from '../../lib/stores/knex-store.js'
import { enrolledRecord } from '../../lib/testing/documents.js'
import { POSTGRESQL, type TestDatabase } from '../support/databases.js'

const COUNTERS = 'second_step_counters'
const place = { name: 'try', seconds: 60, key: 'key', limit: 5 }

describe('a commit in PostgreSQL', function () {
  this.timeout(60_000)
  let database: TestDatabase
  let db: Knex
  before(async () => {
    database = await POSTGRESQL.start()
    db = database.connect()
    await migrateSecondStep(db)
    await db.schema.createTable('commits', (table) => {
      table.text('of')
      table.text('how')
    })
    // Deferred, so that it runs at the very end of a transaction.
    await db.raw(`create function note_commit() returns trigger as $$ begin
      insert into commits values (tg_table_name, current_setting('synchronous_commit'));
      return null; end $$ language plpgsql`)
    for (const table of [COUNTERS, 'second_step_records']) {
      await db.raw(
        `create constraint trigger notes after insert or update or delete on ??
        deferrable initially deferred for each row execute function note_commit()`,
        [table],
      )
    }
  })
  beforeEach(() => db('commits').delete())
  after(() => database?.stop())

  const noted = async (of: string) => {
    const rows: { how: string }[] = await db('commits').where({ of }).select('how')
    return rows.map(({ how }) => how)
  }
  const counter = (on: Knex) => knexCounters(on).counter('try', 60)

  it('waits for no standby where it counts', async () => {
    const { takeAll } = knexCounters(db)
    await counter(db).take('one', 5)
    await counter(db).take('one', 5)
    await counter(db).giveBack('one')
    await takeAll?.([place], [])
    await takeAll?.([place], [{ ...place, key: 'one' }])
    expect(await noted(COUNTERS)).to.deep.equal(Array(6).fill('local'))
  })

  it('waits for no standby where it removes counts', async () => {
    await db(COUNTERS).insert({ id: 'old', taken: 1, ends: 1 })
    await db('commits').delete()
    await counter(db).take('one', 5)
    while ((await noted(COUNTERS)).length < 2) await new Promise((next) => setImmediate(next))
    expect(await noted(COUNTERS)).to.deep.equal(['local', 'local'])
  })

  it('waits as the server says where it writes a record, on the same connection too', async () => {
    await counter(db).take('one', 5)
    expect(await knexStore(db).write(enrolledRecord('user', 1), 0)).to.equal(true)
    expect(await noted('second_step_records')).to.deep.equal(['on'])
  })

  it('waits as the server says in a transaction of the host’s', async () => {
    await db.transaction(async (transaction) => {
      await counter(transaction).take('one', 5)
      await knexCounters(transaction).takeAll?.([place], [])
    })
    expect(await noted(COUNTERS)).to.deep.equal(['on', 'on'])
  })

  it('is not made slower where the server waits for nothing', async () => {
    const hasty = database.connect()
    await hasty.raw('alter database ?? set synchronous_commit = off', [
      new URL(database.url).pathname.slice(1),
    ])
    const later = database.connect()
    await counter(later).take('one', 5)
    expect(await noted(COUNTERS)).to.deep.equal(['off'])
  })
})
