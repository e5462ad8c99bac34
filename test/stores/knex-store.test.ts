import { expect } from 'chai'
import type { Knex } from 'knex'
import { BrokenRecordError } from '../../lib/domain/parse-record.js'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { knexCounters } from '../../lib/limits/knex-counters.js'
import { knexAuditLog } from '../../lib/stores/knex-audit-log.js'
import { migrateSecondStep } from '../../lib/stores/knex-migrations.js'
import { knexStore } from '../../lib/stores/knex-store.js'
import { enrolledRecord, thePolicy } from '../../lib/testing/documents.js'
import { auditLogCases, recordStoreCases } from '../../lib/testing/index.js'
import { DATABASES, SQLITE, type TestDatabase } from '../support/databases.js'
import { secretOf } from '../support/records.js'
import { rejectionOf } from './rejection.js'

const TABLES = ['records', 'policy', 'events', 'serials'].map((name) => `second_step_${name}`)

for (const kind of DATABASES) {
  describe(`knexStore on ${kind.name}`, function () {
    this.timeout(60_000)
    let database: TestDatabase
    let db: Knex
    let second: Knex
    before(async () => {
      database = await kind.start()
      db = database.connect()
      second = database.connect()
      await migrateSecondStep(db)
    })
    after(() => database?.stop())
    const emptied = () => Promise.all(TABLES.map((table) => db(table).del()))

    describe('keeps the contract of a record store', () => {
      for (const { name, run } of recordStoreCases) {
        it(name, () =>
          run(async () => {
            await emptied()
            return { store: knexStore(db), another: knexStore(second) }
          }),
        )
      }
    })

    describe('keeps the contract of an audit log', () => {
      for (const { name, run } of auditLogCases) {
        it(name, () =>
          run(async () => {
            await emptied()
            return { log: knexAuditLog(db) }
          }),
        )
      }
    })

    it('has nothing but ASCII in its tables, whatever the id', async () => {
      await emptied()
      await knexStore(db).write(enrolledRecord('\u{1f511} é \u0000', 1), 0)
      const [row] = await db('second_step_records').select()
      for (const value of Object.values(row ?? {})) {
        expect(String(value)).to.match(/^[\x20-\x7e]*$/)
      }
      const read = await knexStore(db).find('\u{1f511} é \u0000')
      expect(read?.userId).to.equal('\u{1f511} é \u0000')
    })

    it('reads the records of a page of users by one statement, a damaged one among them', async () => {
      await emptied()
      const store = knexStore(db)
      const ids = Array.from({ length: 50 }, (_, index) => `user ${index}`)
      await store.write(enrolledRecord('user 7', 1), 0)
      await db('second_step_records').update({ document: '{"version":1' })
      for (const id of ids.slice(8)) await store.write(enrolledRecord(id, 1), 0)
      let statements = 0
      const counted = () => {
        statements += 1
      }
      db.on('query', counted)
      const found = await store.findMany?.(ids)
      db.off('query', counted)
      expect(statements).to.equal(1)
      const expected = ids.map((_, index) =>
        index < 7 ? 'none' : index === 7 ? 'rejected' : 'record',
      )
      const told = found?.map((one) =>
        one.status === 'rejected' ? one.status : one.value === null ? 'none' : 'record',
      )
      expect(told).to.deep.equal(expected)
    })

    // A damaged record that reads as "nothing stored" would let the password alone open the account.
    it('rejects a stored record that is no JSON object, and lists the others', async () => {
      await emptied()
      const store = knexStore(db)
      await store.write(enrolledRecord('user', 1), 0)
      const [damaged] = await db('second_step_records').select('id')
      await store.write(enrolledRecord('other', 1), 0)
      for (const document of ['', 'null', '1', '"text"', '{"version":1']) {
        await db('second_step_records').where(damaged).update({ document })
        expect(await rejectionOf(store.find('user'))).to.be.instanceOf(BrokenRecordError)
        await rejectionOf(store.write(enrolledRecord('user', 1), 0))
        for (const list of ['all', 'on'] as const) {
          const page = await store.list({ list, cursor: null, limit: 2, now: 1 })
          expect(page?.records.map(({ userId }) => userId)).to.deep.equal(['other'])
          expect(page?.lost).to.deep.equal([`second_step_records ${damaged?.id}`])
        }
      }
    })

    // The attack: whoever can damage one record keeps everybody out whose request comes with theirs.
    it('rejects the read of a damaged record, and of no other at the same time', async () => {
      await emptied()
      const store = knexStore(db)
      await store.write(enrolledRecord('user', 1), 0)
      await db('second_step_records').update({ document: '{"version":1' })
      await store.write(enrolledRecord('other', 1), 0)
      const told = await Promise.allSettled(
        ['other', 'user', 'nobody'].map((id) => store.read?.(id)),
      )
      expect(told.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled'])
      await store.writePolicy(thePolicy.make(1), 0)
      await db('second_step_policy').update({ document: 'null' })
      for (const id of ['other', 'nobody']) {
        await rejectionOf(store.read?.(id) ?? Promise.resolve())
      }
      await db('second_step_policy').delete()
    })

    it('reads many at once, each their own, as they are when they are asked for', async () => {
      await emptied()
      const store = knexStore(db)
      const ids = Array.from({ length: 250 }, (_, index) => `user ${index}`)
      for (const id of ids.slice(0, 200)) await store.write(enrolledRecord(id, 1), 0)
      const found = await Promise.all(ids.map((id) => store.read?.(id)))
      const users = found.map((one) => one?.record?.userId ?? null)
      expect(users).to.deep.equal(ids.map((id, index) => (index < 200 ? id : null)))
      for (let version = 1; version < 20; version += 1) {
        const before = store.read?.('user 0')
        await knexStore(second).write(enrolledRecord('user 0', version + 1), version)
        expect((await store.read?.('user 0'))?.record?.version).to.equal(version + 1)
        expect((await before)?.record?.version).to.be.within(version, version + 1)
      }
    })

    it('tells in an error what the database said, and nothing of the record', async () => {
      await emptied()
      const store = knexStore(db)
      const record = { ...enrolledRecord('user', 1), version: 'no number' as unknown as number }
      await db.schema.renameTable('second_step_records', 'elsewhere')
      const error = await rejectionOf(store.write(record, 0))
      await db.schema.renameTable('elsewhere', 'second_step_records')
      expect(error.message).to.match(/^the database: .*second_step_records/)
      expect(JSON.stringify(error) + error.stack).not.to.contain(secretOf(record.authenticators[0]))
    })

    // Whoever gets a table dropped must not thereby have switched everybody's second step off.
    it('rejects every call where its tables are gone, until they are restored', async () => {
      await emptied()
      const store = knexStore(db)
      await store.write(enrolledRecord('user', 1), 0)
      await db.schema.renameTable('second_step_records', 'records_away')
      await db.schema.renameTable('second_step_policy', 'policy_away')
      await rejectionOf(store.find('user'))
      await rejectionOf(store.find('nobody'))
      await rejectionOf(store.write(enrolledRecord('user', 2), 1))
      await rejectionOf(store.write(enrolledRecord('new', 1), 0))
      await rejectionOf(store.findPolicy())
      await rejectionOf(store.writePolicy(thePolicy.make(1), 0))
      await rejectionOf(store.list({ list: 'all', cursor: null, limit: 1, now: 1 }))
      await db.schema.renameTable('records_away', 'second_step_records')
      await db.schema.renameTable('policy_away', 'second_step_policy')
      expect(await store.find('user')).to.have.property('userId', 'user')
      expect(await store.find('nobody')).to.equal(null)
    })
  })

  describe(`the tables on ${kind.name}`, function () {
    this.timeout(60_000)
    let database: TestDatabase
    let db: Knex
    before(async () => {
      database = await kind.start()
      db = database.connect()
    })
    after(() => database?.stop())

    it('are asked for by name and command when they are missing or behind', async () => {
      for (const production of [true, false]) {
        const error = await rejectionOf(knexStore(db).open?.({ production }))
        expect(error).to.be.instanceOf(ConfigurationError)
        expect(error.message)
          .to.contain('npx passport-second-step migrate')
          .and.contain('no tables')
      }
      await db.schema.createTable('second_step_schema', (table) => table.integer('version'))
      const error = await rejectionOf(knexStore(db).open?.({ production: true }))
      expect(error.message).to.contain('npx passport-second-step migrate')
      await db.schema.dropTable('second_step_schema')
    })

    it('are made once, and again without harm', async () => {
      expect(await migrateSecondStep(db)).to.equal(true)
      await knexStore(db).write(enrolledRecord('user', 1), 0)
      expect(await migrateSecondStep(db)).to.equal(false)
      await knexStore(db).open?.({ production: true })
      expect(await knexStore(db).find('user')).to.have.property('version', 1)
    })

    it('are made once by ten connections at the same time, five times', async () => {
      const fresh = await kind.start()
      try {
        const connections = Array.from({ length: 10 }, () => fresh.connect())
        const [first = db] = connections
        for (let round = 0; round < 5; round += 1) {
          await Promise.all(connections.map((connection) => migrateSecondStep(connection)))
          const store = knexStore(first)
          await store.open?.({ production: true })
          expect(await store.write(enrolledRecord('user', 1), 0)).to.equal(true)
          for (const table of [...TABLES, 'second_step_schema']) await first.schema.dropTable(table)
        }
      } finally {
        await fresh.stop()
      }
    })

    it('are completed after a migration that was killed half-way', async () => {
      const latest = await db('second_step_schema').select()
      await db('second_step_schema').del()
      await db.schema.alterTable('second_step_records', (table) =>
        table.dropIndex([], 'second_step_records_paused_until'),
      )
      await db.schema.dropTable('second_step_events')
      expect(await migrateSecondStep(db)).to.equal(true)
      expect(await db('second_step_schema').select()).to.deep.equal(latest)
      expect(await db.schema.hasTable('second_step_events')).to.equal(true)
      const again = db.schema.alterTable('second_step_records', (table) =>
        table.index(['since'], 'second_step_records_paused_until'),
      )
      expect((await rejectionOf(Promise.resolve(again))).message).to.match(/exists|Duplicate key/)
      expect(await knexStore(db).find('user')).to.have.property('version', 1)
    })

    it("are made by a migration of the host's own, inside its transaction", async () => {
      const fresh = await kind.start()
      try {
        const host = fresh.connect()
        const source = {
          getMigrations: async () => ['one', 'two'],
          getMigrationName: (name: string) => name,
          getMigration: async () => ({
            up: async (knex: Knex) => void (await migrateSecondStep(knex)),
            down: async () => undefined,
          }),
        }
        await host.migrate.latest({ migrationSource: source })
        await knexStore(host).open?.({ production: true })
      } finally {
        await fresh.stop()
      }
    })
  })
}

describe('knexStore', () => {
  it('wants a Knex instance', () => {
    for (const given of [undefined, null, {}, 'postgres://', () => undefined]) {
      expect(() => knexStore(given as never)).to.throw(ConfigurationError, 'Knex')
      expect(() => knexAuditLog(given as never)).to.throw(ConfigurationError, 'Knex')
    }
  })

  it('refuses a wrong `timeout`, and options that it does not know', async () => {
    const { connect, stop } = await SQLITE.start()
    const db = connect()
    for (const [name, make] of Object.entries({ knexStore, knexAuditLog, knexCounters })) {
      for (const timeout of [null, 0, 49, 30_001, 150.5, '1000', Number.NaN]) {
        const refused = `\`${name}.timeout\` must be a whole number of milliseconds, 50 to 30000`
        expect(() => make(db, { timeout } as never)).to.throw(ConfigurationError, refused)
      }
      const misspelt = () => make(db, { timeOut: 500 } as never)
      expect(misspelt).to.throw(ConfigurationError, 'did you mean timeout?')
      expect(() => make(db, { timeout: 50 })).not.to.throw()
    }
    await stop()
  })
})
