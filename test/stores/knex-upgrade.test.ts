import { expect } from 'chai'
import type { Knex } from 'knex'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { migrateSecondStep } from '../../lib/stores/knex-migrations.js'
import { knexStore } from '../../lib/stores/knex-store.js'
import { nextVersion } from '../../lib/testing/documents.js'
import { mailResetOf, NOW } from '../../lib/testing/listed.js'
import { DATABASES, type TestDatabase } from '../support/databases.js'
import { makeTablesOfVersion1 } from '../support/tables-of-version-1.js'
import { rejectionOf } from './rejection.js'

const USERS = ['ann', 'bob', 'eve']

for (const kind of DATABASES) {
  describe(`tables of version 1 on ${kind.name}`, function () {
    this.timeout(60_000)
    let database: TestDatabase
    let db: Knex
    beforeEach(async () => {
      database = await kind.start()
      db = database.connect()
      await makeTablesOfVersion1(db, USERS)
    })
    afterEach(() => database?.stop())

    async function idsIn(list: 'on' | 'mail-resets-due') {
      const page = await knexStore(db).list({ list, cursor: null, limit: 100, now: NOW })
      return page?.records.map(({ userId }) => userId).sort()
    }

    it('are refused, with their version and the command in the message', async () => {
      const error = await rejectionOf(knexStore(db).open?.({ production: true }))
      expect(error).to.be.instanceOf(ConfigurationError)
      expect(error.message)
        .to.contain('version 1')
        .and.contain('version 5')
        .and.contain('npx passport-second-step migrate')
    })

    it('are brought up to date with every record in them', async () => {
      expect(await migrateSecondStep(db)).to.equal(true)
      expect(await migrateSecondStep(db)).to.equal(false)
      const store = knexStore(db)
      await store.open?.({ production: true })
      expect(await idsIn('on')).to.deep.equal(USERS)
      expect(await idsIn('mail-resets-due')).to.deep.equal([])
      const bob = await store.find('bob')
      if (bob === null) throw new Error('the record of bob is gone')
      expect(await store.write(nextVersion(bob, { mailReset: mailResetOf() }), 1)).to.equal(true)
      expect(await idsIn('mail-resets-due')).to.deep.equal(['bob'])
      expect(await idsIn('on')).to.deep.equal(USERS)
    })

    it('are brought up to date by ten connections at the same time', async () => {
      const connections = Array.from({ length: 10 }, () => database.connect())
      await Promise.all(connections.map((connection) => migrateSecondStep(connection)))
      await knexStore(db).open?.({ production: true })
      expect(await idsIn('on')).to.deep.equal(USERS)
    })

    it('are completed where a migration was killed between column and index', async () => {
      await db.schema.alterTable('second_step_records', (table) => {
        table.bigInteger('mail_reset_due')
      })
      expect(await migrateSecondStep(db)).to.equal(true)
      const again = db.schema.alterTable('second_step_records', (table) =>
        table.index(['since'], 'second_step_records_mail_reset_due'),
      )
      expect((await rejectionOf(Promise.resolve(again))).message).to.match(/exists|Duplicate key/)
    })
  })
}
