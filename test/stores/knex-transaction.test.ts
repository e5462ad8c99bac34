// A host gives the store one of its transactions. The mistake: at a deadlock MariaDB undoes all of the transaction, the
// statement is sent again, and commits alone, without what the host wrote beside it.

import { expect } from 'chai'
import type { Knex } from 'knex'
import { knexCounters } from '../../lib/limits/knex-counters.js'
import { migrateSecondStep } from '../../lib/stores/knex-migrations.js'
import { knexStore } from '../../lib/stores/knex-store.js'
import { enrolledRecord, nextVersion } from '../../lib/testing/documents.js'
import { MARIADB, POSTGRESQL, type TestDatabase } from '../support/databases.js'
import { rejectionOf } from './rejection.js'

const first = enrolledRecord('user', 1)
const second = nextVersion(first, {})

describe('knexStore in a transaction of the host’s', function () {
  this.timeout(60_000)
  const databases = new Map<string, TestDatabase>()
  after(() => Promise.all([...databases.values()].map((database) => database.stop())))

  async function openedIn(kind: typeof MARIADB): Promise<Knex> {
    const database = await kind.start()
    databases.set(kind.name, database)
    const db = database.connect()
    await migrateSecondStep(db)
    await db.schema.createTable('hosts', (table) => {
      table.integer('id').primary()
      table.integer('seen').notNullable()
    })
    await db('hosts').insert(Array.from({ length: 50 }, (_, id) => ({ id, seen: 0 })))
    await knexStore(db).write(first, 0)
    return db
  }

  it('sends nothing again after a deadlock, which has undone all of it in MariaDB', async () => {
    const db = await openedIn(MARIADB)
    const [one, other] = await Promise.all([db.transaction(), db.transaction()])
    await one('hosts').where({ id: 0 }).update({ seen: 1 })
    // Who has changed more rows is not the one that is undone.
    await other('hosts').where('id', '>', 0).update({ seen: 2 })
    await other('second_step_records').update({ version: 1 })
    const meets = Promise.resolve(other('hosts').where({ id: 0 }).update({ seen: 2 }))
    const write = rejectionOf(knexStore(one).write(second, 1))
    await meets
    await other.rollback()
    expect(await write.finally(() => one.commit())).to.have.property('code', 'ER_LOCK_DEADLOCK')
    expect(await knexStore(db).find('user')).to.deep.equal(first)
    expect(await db('hosts').where({ seen: 0 })).to.have.length(50)
  })

  it('tells what has failed first in PostgreSQL, which takes nothing more', async () => {
    const db = await openedIn(POSTGRESQL)
    await db.raw(`create function abort_it() returns trigger as $$ begin
      raise exception using errcode = '40001'; end $$ language plpgsql`)
    await db.raw(`create trigger aborts before update on second_step_records
      for each row execute function abort_it()`)
    const one = await db.transaction()
    const write = rejectionOf(knexStore(one).write(second, 1))
    expect(await write.finally(() => one.rollback())).to.have.property('code', '40001')
  })

  it('leaves old counts to others: nobody would hear that their removal has undone it', async () => {
    const db = databases.get('MariaDB')?.connect() ?? expect.fail('no database')
    const sent: string[] = []
    db.on('query', ({ sql }: { sql: string }) => sent.push(sql))
    const swept = () => sent.filter((sql) => /^select.* order by `ends`/.test(sql)).length
    await db.transaction(async (transaction) => {
      await knexCounters(transaction).counter('in', 60).take('key', 1)
    })
    expect(swept()).to.equal(0)
    await knexCounters(db).counter('out', 60).take('key', 1)
    expect(swept()).to.equal(1)
  })
})
