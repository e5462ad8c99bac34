// A database whose transactions are serialisable aborts statements where others would wait. The mistake: what was
// aborted is told as a failure, or as a wrong code.

import { expect } from 'chai'
import type { Knex } from 'knex'
import { knexCounters } from '../../lib/limits/knex-counters.js'
import { knexAuditLog } from '../../lib/stores/knex-audit-log.js'
import { migrateSecondStep } from '../../lib/stores/knex-migrations.js'
import { knexStore } from '../../lib/stores/knex-store.js'
import { enrolledRecord } from '../../lib/testing/documents.js'
import { auditLogCases, counterCases, recordStoreCases } from '../../lib/testing/index.js'
import { auditEntry } from '../support/audit-entry.js'
import { connectTo, MARIADB, POSTGRESQL, type TestDatabase } from '../support/databases.js'

const TABLES = ['records', 'policy', 'events', 'serials', 'counters'].map(
  (name) => `second_step_${name}`,
)

const LEVEL = {
  PostgreSQL: {
    set: 'set session characteristics as transaction isolation level serializable',
    shown: "select current_setting('transaction_isolation') as level",
  },
  MariaDB: {
    set: 'set session transaction isolation level serializable',
    shown: 'select @@tx_isolation as level',
  },
} as const

const INSERTED = ['records', 'events', 'counters'].map((name) => `second_step_${name}`)

/** A trigger on the counts would change the id that their statement answers with. */
const NOTED = INSERTED.slice(0, 2)

/** A sequence counts on where all else is undone: every other insert is aborted with this error. */
const ABORTS = {
  PostgreSQL: {
    aborts: ['40001', '40P01'],
    async abortingInserts(db: Knex, error: string) {
      await db.raw('create sequence aborts')
      await db.raw(`create function abort_it() returns trigger as $$ begin
        if nextval('aborts') % 2 = 1 then raise exception using errcode = '${error}'; end if;
        return new; end $$ language plpgsql`)
      for (const table of INSERTED) {
        const trigger = `create trigger ${table}_aborts before insert on ${table}`
        await db.raw(`${trigger} for each row execute function abort_it()`)
      }
      return async () => {
        await db.raw('drop function abort_it cascade')
        await db.raw('drop sequence aborts')
      }
    },
  },
  MariaDB: {
    aborts: ['1213', '1205'],
    async abortingInserts(db: Knex, error: string) {
      await db.raw('create sequence aborts')
      for (const table of NOTED) {
        await db.raw(`create trigger ${table}_aborts before insert on ${table} for each row
          if nextval(aborts) % 2 = 1 then signal sqlstate '40001' set mysql_errno = ${error}; end if`)
      }
      return async () => {
        for (const table of NOTED) await db.raw(`drop trigger ${table}_aborts`)
        await db.raw('drop sequence aborts')
      }
    },
  },
} as const

interface Connection {
  query(text: string, done: (error: unknown) => void): unknown
}

for (const kind of [POSTGRESQL, MARIADB]) {
  const { aborts, abortingInserts } = ABORTS[kind.name as keyof typeof ABORTS]
  const { set, shown } = LEVEL[kind.name as keyof typeof LEVEL]

  describe(`on ${kind.name}, where all is serialisable`, function () {
    this.timeout(60_000)
    let database: TestDatabase
    let pools: Knex[] = []
    let db: Knex
    before(async () => {
      database = await kind.start()
      const afterCreate = (connection: Connection, done: (error: unknown) => void) =>
        void connection.query(set, (error) => done(error))
      pools = [1, 2].map(() => connectTo(database.url, { pool: { min: 0, max: 10, afterCreate } }))
      db = pools[0] as Knex
      await migrateSecondStep(db)
    })
    after(async () => {
      await Promise.all(pools.map((pool) => pool.destroy()))
      await database?.stop()
    })
    const emptied = () => Promise.all(TABLES.map((table) => db(table).del()))

    it('all is', async () => {
      const answer = await db.raw(shown)
      expect(JSON.stringify(answer.rows ?? answer[0])).to.match(/"level":"serializable"/i)
    })

    describe('a record store keeps its contract', () => {
      for (const { name, run } of recordStoreCases) {
        it(name, () =>
          run(async () => {
            await emptied()
            return { store: knexStore(db), another: knexStore(pools[1] as Knex) }
          }),
        )
      }
    })

    describe('an audit log keeps its contract', () => {
      for (const { name, run } of auditLogCases) {
        it(name, () =>
          run(async () => {
            await emptied()
            return { log: knexAuditLog(db) }
          }),
        )
      }
    })

    describe('counters keep their contract', () => {
      for (const { name, run } of counterCases) {
        it(name, () =>
          run(async () => {
            await emptied()
            return { counters: knexCounters(db), another: knexCounters(pools[1] as Knex) }
          }),
        )
      }
    })

    it('what the database aborts is sent again: a write, an entry, a place', async () => {
      await emptied()
      const store = knexStore(db)
      const places = knexCounters(db).counter('aborted', 60)
      for (const error of aborts) {
        const stop = await abortingInserts(db, error)
        try {
          expect(await store.write(enrolledRecord(error, 1), 0)).to.equal(true)
          await store.audit?.append([auditEntry(error)])
          expect((await places.take(error, 5)).taken).to.equal(true)
        } finally {
          await stop()
        }
        expect(await store.find(error)).to.include({ userId: error })
        const page = await store.audit?.list({ user: error, cursor: null, limit: 5 })
        expect(page?.entries).to.have.length(1)
        expect(await places.taken(error)).to.equal(1)
      }
    })

    it('a burst of writes, entries and places has no failure, and one winner a version', async () => {
      await emptied()
      const stores = pools.map((pool) => knexStore(pool))
      const counters = pools.map((pool) => knexCounters(pool).counter('burst', 60))
      for (let version = 0; version < 10; version += 1) {
        const burst = Array.from({ length: 12 }, async (_, index) => {
          const store = stores[index % 2]
          const next = { ...enrolledRecord('user', version + 1), writeId: `w${index}` }
          await store?.find('user')
          await store?.audit?.append([auditEntry('user')])
          await counters[index % 2]?.take('address', 1000)
          return store?.write(next, version)
        })
        expect((await Promise.all(burst)).filter(Boolean), `${version}`).to.have.length(1)
      }
      expect(await counters[0]?.taken('address')).to.equal(120)
    })
  })
}
