// The attack: a code is used up by a write whose entry in the audit log is lost, or an entry tells of a write
// that never took place.

import { expect } from 'chai'
import type { Knex } from 'knex'
import type { WriteWithEntries } from '../../lib/ports/record-store.js'
import { migrateSecondStep } from '../../lib/stores/knex-migrations.js'
import { type KnexStore, knexStore } from '../../lib/stores/knex-store.js'
import { enrolledRecord } from '../../lib/testing/documents.js'
import { auditEntry } from '../support/audit-entry.js'
import { connectTo, MARIADB, POSTGRESQL, SQLITE, type TestDatabase } from '../support/databases.js'
import { rejectionOf } from './rejection.js'

const EVENTS = 'second_step_events'

describe('a record and its entries in PostgreSQL', function () {
  this.timeout(60_000)
  let database: TestDatabase
  let db: Knex
  let store: KnexStore
  let writeWith: WriteWithEntries
  before(async () => {
    database = await POSTGRESQL.start()
    db = database.connect()
    await migrateSecondStep(db)
    store = knexStore(db)
    if (store.writeWith === undefined) throw new Error('the store has no writeWith')
    writeWith = store.writeWith
  })
  after(() => database?.stop())
  beforeEach(async () => {
    for (const table of ['second_step_records', EVENTS]) await db(table).delete()
  })

  const logged = async () =>
    (await writeWith.audit.list({ user: 'user', cursor: null, limit: 100 }))?.entries

  it('are there both or neither, where the log cannot take an entry', async () => {
    const entries = [auditEntry('user'), auditEntry('user', 'wrong-code')]
    for (const version of [1, 2]) {
      await db.schema.renameTable(EVENTS, 'elsewhere')
      await rejectionOf(writeWith.run(enrolledRecord('user', version), version - 1, entries))
      await db.schema.renameTable('elsewhere', EVENTS)
      const [again = auditEntry('user')] = entries
      await rejectionOf(
        writeWith.run(enrolledRecord('user', version), version - 1, [...entries, again]),
      )
      expect((await store.find('user'))?.version ?? 0).to.equal(version - 1)
      expect(await logged()).to.deep.equal([])
      await store.write(enrolledRecord('user', version), version - 1)
    }
  })

  it('are appended once, whoever sends them again after others', async () => {
    const [first, later] = [enrolledRecord('user', 1), enrolledRecord('user', 2)]
    const entries = [auditEntry('user')]
    expect(await writeWith.run(first, 0, entries)).to.equal(true)
    expect(await writeWith.run(first, 0, entries)).to.equal(true)
    expect(await writeWith.run(later, 1, [])).to.equal(true)
    expect(await writeWith.run(first, 0, entries)).to.equal(false)
    expect(await logged()).to.deep.equal(entries)
  })

  it('are whole, whatever is in an entry', async () => {
    const odd = `'"\\ \u0000 \u{1f511} ? ?? $1 :name [id]`
    const entry = { ...auditEntry('user'), userAgent: odd, reason: odd, detail: { odd } }
    await writeWith.run(enrolledRecord('user', 1), 0, [entry])
    await writeWith.run(enrolledRecord('user', 2), 1, [{ ...auditEntry('user'), user: null }])
    expect(await logged()).to.deep.equal([entry])
  })

  it('are written by a host’s transaction or not at all', async () => {
    await db
      .transaction(async (transaction) => {
        const inIt = knexStore(transaction)
        const entries = [auditEntry('user')]
        const written = inIt.writeWith?.run(enrolledRecord('user', 1), 0, entries)
        await (written ?? inIt.write(enrolledRecord('user', 1), 0))
        throw new Error('the host changes its mind')
      })
      .catch(() => undefined)
    expect(await store.find('user')).to.equal(null)
    expect(await logged()).to.deep.equal([])
  })

  it('leave no connection in a transaction where one fails', async () => {
    const one = connectTo(database.url, { pool: { min: 1, max: 1 } })
    const narrow = knexStore(one)
    const entry = auditEntry('user')
    try {
      await rejectionOf(
        narrow.writeWith?.run(enrolledRecord('user', 1), 0, [entry, entry]) ?? Promise.resolve(),
      )
      expect(await narrow.write(enrolledRecord('user', 1), 0)).to.equal(true)
      expect(await store.find('user')).to.have.property('version', 1)
    } finally {
      await one.destroy()
    }
  })
})

// In one transaction a record was locked over several round trips, and a burst of codes got 503.
for (const kind of [MARIADB, SQLITE]) {
  describe(`a record and its entries in ${kind.name}`, () => {
    it('are two statements', async () => {
      const database = await kind.start()
      expect(knexStore(database.connect()).writeWith).to.equal(undefined)
      await database.stop()
    })
  })
}
