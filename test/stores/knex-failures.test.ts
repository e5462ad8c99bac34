import { expect } from 'chai'
import knex, { type Knex } from 'knex'
import { isConfigurationError } from '../../lib/errors/configuration-error.js'
import { knexAuditLog } from '../../lib/stores/knex-audit-log.js'
import { migrateSecondStep } from '../../lib/stores/knex-migrations.js'
import { ON_PRIMARY } from '../../lib/stores/knex-primary.js'
import { type KnexStore, knexStore } from '../../lib/stores/knex-store.js'
import { enrolledRecord, thePolicy } from '../../lib/testing/documents.js'
import { auditEntry } from '../support/audit-entry.js'
import type { DatabaseServer } from '../support/database-process.js'
import {
  connectTo,
  MARIADB,
  ownServer,
  POSTGRESQL,
  type TestDatabase,
} from '../support/databases.js'
import { rejectionOf } from './rejection.js'

const TIMEOUT = 200

function everyCall(store: KnexStore): readonly Promise<unknown>[] {
  return [
    store.find('user'),
    store.find('nobody'),
    store.findPolicy(),
    store.write(enrolledRecord('user', 2), 1),
    store.write(enrolledRecord('new', 1), 0),
    store.read?.('user') ?? Promise.reject(new Error('no `read`')),
    store.writeWith?.run(enrolledRecord('user', 2), 1, [auditEntry('user')]) ??
      Promise.reject(new Error('no `writeWith`')),
    store.writeWith?.run(enrolledRecord('new', 1), 0, [auditEntry('new')]) ??
      Promise.reject(new Error('no `writeWith`')),
    store.writePolicy(thePolicy.make(1), 0),
    store.list({ list: 'locked', cursor: null, limit: 1, now: 1 }),
    store.audit?.list({ user: null, cursor: null, limit: 1 }) ?? Promise.resolve(),
    store.open?.({ production: true }) ?? Promise.resolve(),
  ]
}

for (const kind of [POSTGRESQL, MARIADB]) {
  describe(`knexStore when ${kind.name} fails`, function () {
    this.timeout(60_000)
    let server: DatabaseServer
    let database: TestDatabase
    let db: Knex
    let store: KnexStore
    before(async () => {
      const own = await ownServer(kind)
      server = own.server
      database = own.database
      db = database.connect()
      store = knexStore(db)
      await migrateSecondStep(db)
      await store.write(enrolledRecord('user', 1), 0)
    })
    after(() => database?.stop())

    // With the database away a record that reads as "none" would let the password alone open the account.
    it('rejects every call within a second while it hangs, and works again after', async () => {
      await Promise.all(everyCall(store).map((call) => call.catch(() => undefined)))
      const fresh = enrolledRecord('user', 3)
      server.pause()
      const began = performance.now()
      await Promise.all(everyCall(store).map(rejectionOf))
      // One second and not two, whatever else the machine does.
      expect(performance.now() - began).to.be.below(2000)
      server.resume()
      expect(await store.find('user')).to.have.property('userId', 'user')
      expect(await store.write(fresh, 2)).to.equal(true)
    })

    // Queries that never come back must not use up the pool for everybody after them.
    it('lets no connection that hangs stay in use', async () => {
      const own = connectTo(database.url, { acquireConnectionTimeout: TIMEOUT })
      const impatient = knexStore(own, { timeout: TIMEOUT })
      await Promise.all(everyCall(impatient).map((call) => call.catch(() => undefined)))
      server.pause()
      const began = performance.now()
      await rejectionOf(impatient.find('user'))
      expect(performance.now() - began).to.be.within(150, 2000)
      for (let round = 0; round < 3; round += 1) {
        await Promise.all(everyCall(impatient).map(rejectionOf))
      }
      expect(own.client.pool.numUsed()).to.equal(0)
      expect(own.client.pool.numPendingAcquires()).to.equal(0)
      server.resume()
      expect(await store.find('user')).to.have.property('userId', 'user')
      await own.destroy()
    })

    if (kind === MARIADB) {
      // On a replica an ended session may live, and a used code be good.
      it('is refused while it takes no writes: a replica, as far as it tells', async () => {
        const fresh = knexStore(db)
        const asked = () => [
          ...[fresh.open?.({ production: true }), fresh.find('user'), fresh.find('nobody')],
          ...[fresh.findPolicy(), fresh.findSerial?.('nobody'), fresh.read?.('user')],
        ]
        await db.raw('set global read_only = 1')
        try {
          for (const error of await Promise.all(asked().map(rejectionOf))) {
            expect(isConfigurationError(error), error.message).to.equal(true)
            expect(error.message).to.contain('@@global.read_only').and.contain('the primary alone')
          }
        } finally {
          await db.raw('set global read_only = 0')
        }
        await Promise.all(asked())
      })

      // A reader of Amazon Aurora says so by nothing else. The variable of this server cannot be set.
      it('is refused where InnoDB alone takes no writes', async () => {
        for (const [value, rows] of [
          ["'0'", 1],
          ["'OFF'", 1],
          ["'1'", 0],
          ["'ON'", 0],
        ] as const) {
          const end = ON_PRIMARY.mysql.replace('@@global.innodb_read_only', value)
          const [found] = await db.raw(`select 1 as found ${end}`)
          expect(found, value).to.have.length(rows)
        }
      })
    }

    it('rejects every call while it is gone, and works after it is back', async () => {
      await server.kill()
      await Promise.all(everyCall(store).map(rejectionOf))
      await server.restart()
      expect(await store.find('user')).to.have.property('userId', 'user')
      await store.open?.({ production: true })
    })
  })
}

describe('knexStore on PostgreSQL with the least rights', function () {
  this.timeout(60_000)
  let database: TestDatabase
  let owner: Knex
  const role = `app_${process.pid}_${Date.now()}`
  let app: Knex
  before(async () => {
    database = await POSTGRESQL.start()
    owner = database.connect()
    await migrateSecondStep(owner)
    const tables = (...names: string[]) => names.map((name) => `second_step_${name}`).join(', ')
    await owner.raw(`create role ${role} login`)
    await owner.raw(`grant select on ${tables('schema')} to ${role}`)
    await owner.raw(`grant select, insert, update on ${tables('records', 'policy')} to ${role}`)
    await owner.raw(`grant select, insert on ${tables('events')} to ${role}`)
    await owner.raw(`grant select, insert, update, delete on ${tables('counters')} to ${role}`)
    const address = Object.assign(new URL(database.url), { username: role }).href
    app = knex({ client: 'pg', connection: address })
  })
  after(async () => {
    await app?.destroy()
    await database?.stop()
  })

  it('opens, reads, writes and lists', async () => {
    const store = knexStore(app)
    await store.open?.({ production: true })
    expect(await store.write(enrolledRecord('user', 1), 0)).to.equal(true)
    expect(await store.write(enrolledRecord('user', 2), 1)).to.equal(true)
    expect(await store.writePolicy(thePolicy.make(1), 0)).to.equal(true)
    const page = await store.list({ list: 'all', cursor: null, limit: 1, now: 1 })
    expect(page?.records).to.have.length(1)
    const counter = store.counters?.counter('try', 60)
    await counter?.take('key', 1)
    await counter?.giveBack('key')
    expect((await counter?.take('key', 1))?.taken).to.equal(true)
  })

  // A write that the database does not take must not pass for one that somebody else was first with.
  it('rejects a write that it may not make', async () => {
    await owner.raw(`revoke insert, update on second_step_records from ${role}`)
    const store = knexStore(app)
    for (const [id, version] of [
      ['new', 0],
      ['user', 2],
    ] as const) {
      const error = await rejectionOf(store.write(enrolledRecord(id, version + 1), version))
      expect(error.message).to.contain('permission denied')
    }
    await owner.raw(`grant insert, update on second_step_records to ${role}`)
  })

  // The app's own database account must not be able to delete audit entries.
  it('appends to the audit log and cannot change it', async () => {
    const log = knexAuditLog(app)
    const nobody = { method: null, reason: null, detail: null, ip: null, userAgent: null }
    const entry = {
      id: '0'.repeat(30),
      at: 1,
      type: 'logged-out',
      user: 'user',
      actor: { kind: 'system', id: null },
      ...nobody,
    } as const
    await log.append([entry])
    const page = await log.list({ user: 'user', cursor: null, limit: 10 })
    expect(page?.entries).to.deep.equal([entry])
    const events = () => app('second_step_events')
    for (const tampering of [events().del(), events().update({ at: 2 }), events().truncate()]) {
      const error = await rejectionOf(Promise.resolve(tampering))
      expect(error.message).to.contain('permission denied')
    }
  })
})

// PostgreSQL with `default_transaction_isolation = serializable`: a write that comes second is an error
// there ("could not serialize access"), and the user was told that the app is out of order.
describe('knexStore in a database that serialises', function () {
  this.timeout(60_000)

  it('takes a race that was lost for one, in PostgreSQL', async () => {
    const { database } = await ownServer(POSTGRESQL)
    try {
      const before = database.connect()
      await migrateSecondStep(before)
      await before.raw("alter role current_user set default_transaction_isolation = 'serializable'")
      const db = database.connect()
      const store = knexStore(db)
      const [shown] = (await db.raw('show transaction_isolation')).rows
      expect(shown.transaction_isolation).to.equal('serializable')
      for (let version = 0; version < 40; version += 1) {
        const writers = Array.from({ length: 8 }, (_, index) =>
          store.write({ ...enrolledRecord('user', version + 1), writeId: `w${index}` }, version),
        )
        const won = (await Promise.all(writers)).filter(Boolean)
        expect(won, `at version ${version}`).to.have.length(1)
      }
    } finally {
      await database.stop()
    }
  })
})
