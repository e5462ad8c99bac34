// The mistake: behind a proxy that shares connections out (PgBouncer), every request is refused, since
// statements have names that the server's connection does not know, or knows already.

import { expect } from 'chai'
import type { Knex } from 'knex'
import { migrateSecondStep } from '../../lib/stores/knex-migrations.js'
import { knexStore } from '../../lib/stores/knex-store.js'
import { enrolledRecord, nextVersion } from '../../lib/testing/documents.js'
import { connectTo, POSTGRESQL, type TestDatabase } from '../support/databases.js'

describe('the names of statements on PostgreSQL', function () {
  this.timeout(60_000)
  let database: TestDatabase
  let db: Knex
  let names: (string | undefined)[]
  beforeEach(async () => {
    database = await POSTGRESQL.start()
    db = connectTo(database.url, { pool: { min: 1, max: 1 } })
    await migrateSecondStep(db)
    await knexStore(db).write(enrolledRecord('user', 1), 0)
    names = []
    db.on('query', (query: { options?: { name?: string } }) => names.push(query.options?.name))
  })
  afterEach(async () => {
    await db.destroy()
    await database.stop()
  })

  const readBy = async (store: ReturnType<typeof knexStore>) =>
    (await store.read?.('user'))?.record?.userId

  it('let the server plan a statement once', async () => {
    const store = knexStore(db)
    for (let time = 0; time < 3; time += 1) await readBy(store)
    const { rows } = await db.raw('select statement from pg_prepared_statements')
    const reads = rows.filter(({ statement }: { statement: string }) => /policy/.test(statement))
    expect(reads).to.have.length(1)
  })

  it('stand on texts in which Knex need not look for the places of values', async () => {
    const sent: { sql: string; bindings: readonly unknown[] }[] = []
    db.on('query', (query) => sent.push(query))
    const store = knexStore(db)
    expect(await readBy(store)).to.equal('user')
    expect(await store.write(nextVersion(enrolledRecord('user', 1), {}), 1)).to.equal(true)
    expect(sent).to.have.length(2)
    for (const { sql, bindings } of sent) {
      expect(sql).to.contain('$1').and.not.contain('?')
      expect(bindings).to.deep.equal([])
    }
  })

  it('are given up where the server does not know one', async () => {
    const store = knexStore(db)
    await readBy(store)
    await db.raw('deallocate all')
    names = []
    expect(await readBy(store)).to.equal('user')
    expect(await readBy(store)).to.equal('user')
    expect(names.map((name) => name !== undefined)).to.deep.equal([true, false, false])
  })

  it('are given up where the server has one already', async () => {
    await readBy(knexStore(db))
    const [name = ''] = names
    const other = connectTo(database.url, { pool: { min: 1, max: 1 } })
    try {
      await other.raw(`prepare "${name}" as select 1`)
      expect(await readBy(knexStore(other))).to.equal('user')
    } finally {
      await other.destroy()
    }
  })

  it('are not used in a transaction of the host’s, which their failure would end', async () => {
    await db.transaction(async (transaction) => {
      expect(await readBy(knexStore(transaction))).to.equal('user')
    })
    expect(names.some((name) => name !== undefined)).to.equal(false)
  })
})
