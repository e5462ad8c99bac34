import { expect } from 'chai'
import knex, { type Knex } from 'knex'
import { errors, knexStore } from '../../lib/index.js'
import { counterHash } from '../../lib/limits/counter-key.js'
import { knexCounters } from '../../lib/limits/knex-counters.js'
import { migrateSecondStep } from '../../lib/stores/knex-migrations.js'
import { counterCases } from '../../lib/testing/index.js'
import { rejectionOf } from '../stores/rejection.js'
import { browserOf } from '../support/browser.js'
import type { DatabaseServer } from '../support/database-process.js'
import {
  connectTo,
  DATABASES,
  MARIADB,
  ownServer,
  POSTGRESQL,
  SQLITE,
  type TestDatabase,
} from '../support/databases.js'
import { ann, type Host, type HostOptions, makeHost } from '../support/host.js'

const TABLE = 'second_step_counters'
const HERE = '192.0.2.1'

for (const kind of DATABASES) {
  describe(`knexCounters on ${kind.name}`, function () {
    this.timeout(60_000)
    let database: TestDatabase
    let db: Knex
    before(async () => {
      database = await kind.start()
      db = database.connect()
      await migrateSecondStep(db)
    })
    beforeEach(() => db(TABLE).delete())
    after(async () => {
      await Promise.all(others.map((other) => other.destroy()))
      await database?.stop()
    })
    const others: Knex[] = []
    /** Connections of a process of its own; few, and none of them made in a hurry. */
    const another = () => {
      const patient = { acquireConnectionTimeout: 20_000, pool: { min: 0, max: 2 } }
      const other = connectTo(database.url, kind === SQLITE ? {} : patient)
      others.push(other)
      return other
    }

    for (const { name, run } of counterCases) {
      it(name, () =>
        run(async () => {
          await db(TABLE).delete()
          return { counters: knexCounters(db) }
        }),
      )
    }

    it('refuses a window that it cannot keep', () => {
      for (const seconds of [0, -1, 0.5, Number.NaN, 25 * 24 * 60 * 60]) {
        expect(() => knexCounters(db).counter('try', seconds)).to.throw(RangeError)
      }
    })

    it('refuses an invalid limit', async () => {
      for (const limit of [Number.NaN, -1, undefined as unknown as number]) {
        expect((await knexCounters(db).counter('try', 60).take('key', limit)).taken).to.equal(false)
      }
      expect(await db(TABLE)).to.deep.equal([])
    })

    // Ten processes guess at once, each with connections of its own.
    it('lets no burst of ten processes past a limit, in any window', async () => {
      const all = Array.from({ length: 10 }, () => knexCounters(another()))
      const takeAll = (limit: number) =>
        Promise.all(
          all.flatMap((one) => {
            const counter = one.counter('try', 60)
            return Array.from({ length: 10 }, () => counter.take(HERE, limit))
          }),
        )
      for (let round = 0; round < 5; round += 1) {
        const answers = await takeAll(7)
        expect(answers.filter((answer) => answer.taken)).to.have.length(7)
        const left = answers.flatMap((answer) => (answer.taken ? [answer.left] : []))
        expect(left.sort()).to.deep.equal([0, 1, 2, 3, 4, 5, 6])
        await db(TABLE).update({ ends: 1 })
      }
    })

    // The attack: guesses at once at ten processes, each with a place that is full by the time of its writing.
    it('takes all the places of a call or none, in a burst of ten processes too', async () => {
      const all = Array.from({ length: 10 }, () => knexCounters(another()))
      if (all[0]?.takeAll === undefined) return
      const place = (name: string, limit: number) => ({ name, seconds: 60, key: HERE, limit })
      const takenOf = (name: string) => all[0]?.counter(name, 60).taken(HERE)
      for (let round = 0; round < 10; round += 1) {
        const [narrow, wide, other] = [place('narrow', 3), place('wide', 50), place('other', 50)]
        const answers = await Promise.all(
          all.flatMap((one, nth) =>
            Array.from({ length: 5 }, () => {
              const wanted = nth % 2 === 0 ? [wide, narrow, other] : [other, narrow, wide]
              return one.takeAll?.(wanted, []) ?? []
            }),
          ),
        )
        const whole = answers.filter((answer) => answer.every(({ taken }) => taken))
        const none = answers.filter((answer) => !answer.some(({ taken }) => taken))
        expect([whole.length, none.length]).to.deep.equal([3, 47])
        for (const name of ['narrow', 'wide', 'other']) expect(await takenOf(name)).to.equal(3)
        await db(TABLE).delete()
      }
    })

    it('gives back nothing of a window that is over, and takes a place in the next', async () => {
      const { takeAll } = knexCounters(db)
      if (takeAll === undefined) return
      const place = { name: 'try', seconds: 60, key: HERE, limit: 2 }
      await takeAll([place], [])
      await db(TABLE).update({ ends: 1 })
      await takeAll([], [place, place])
      expect(await takeAll([place], [place])).to.deep.equal([
        { taken: true, left: 1, retryAfter: 0 },
      ])
    })

    it('counts different things at once, while old rows are removed', async () => {
      const counter = knexCounters(another()).counter('try', 60)
      const keys = Array.from({ length: 150 }, (_, index) => `address-${index}`)
      const first = await Promise.all(keys.map((key) => counter.take(key, 1)))
      expect(first.every(({ taken }) => taken)).to.equal(true)
      await db(TABLE).update({ ends: 1 })
      const second = await Promise.all(
        keys.flatMap((key) => [counter.take(key, 1), counter.take(key, 1)]),
      )
      expect(second.filter(({ taken }) => taken)).to.have.length(150)
    })

    // The mistake: the database's clock was a year ahead when somebody typed wrong passwords; now the
    // right one is refused for a year.
    it('takes a count that was dated by a clock ahead for one that is over', async () => {
      const counter = knexCounters(another()).counter('try', 60)
      const year = 365 * 24 * 60 * 60 * 1000
      await counter.take(HERE, 1)
      const [{ ends }] = (await db(TABLE).select('ends')) as [{ ends: number | string }]
      await db(TABLE).update({ ends: Number(ends) + year })
      expect(await counter.taken(HERE)).to.equal(0)
      await counter.giveBack(HERE)
      expect(await counter.take(HERE, 1)).to.include({ taken: true, left: 0 })
      const refused = await counter.take(HERE, 1)
      expect(refused.taken).to.equal(false)
      expect(refused.retryAfter).to.be.within(1, 60_000)
    })

    it('is what `knexStore` counts with', async () => {
      await knexStore(db).counters?.counter('try', 60).take('key', 1)
      expect((await knexCounters(db).counter('try', 60).take('key', 1)).taken).to.equal(false)
    })

    it('shows no address in its table', async () => {
      await knexCounters(db).counter('address', 60).take(HERE, 5)
      await knexCounters(db).counter('address', 60).giveBack('192.0.2.2')
      const rows = await db(TABLE)
      expect(rows).to.have.length(1)
      expect(rows[0]?.id).to.match(/^[0-9a-f]{64}$/)
      expect(JSON.stringify(rows)).to.not.include(HERE)
    })

    // The attack: a count for each of a million accounts, until the disk is full.
    it('removes rows whose window is over, and no others', async () => {
      const rows = Array.from({ length: 700 }, (_, index) => ({
        id: `old-${index}`,
        taken: 1,
        ends: 1,
      }))
      await db.batchInsert(TABLE, rows, 100)
      const counter = knexCounters(db).counter('try', 60)
      /** Resolves when something was removed. */
      const removal = () =>
        new Promise<void>((resolve) => {
          db.on(
            'query-response',
            function answered(_answer: unknown, { method }: { method: string }) {
              if (method !== 'del') return
              db.off('query-response', answered)
              resolve()
            },
          )
        })
      const old = async () => (await db(TABLE).where('ends', 1)).length
      const first = removal()
      await counter.take('key', 1000)
      await first
      expect(await old()).to.equal(200)
      const second = removal()
      for (let take = 0; take < 100; take += 1) await counter.take('key', 1000)
      await second
      expect(await old()).to.equal(0)
      expect((await db(TABLE))[0]).to.include({ taken: kind === POSTGRESQL ? '101' : 101 })
    })

    it('rejects where its table is missing', async () => {
      await db.schema.renameTable(TABLE, 'elsewhere')
      const counter = knexCounters(db).counter('try', 60)
      const calls = [counter.take('key', 1), counter.giveBack('key'), counter.taken('key')]
      const failures = calls.map(rejectionOf)
      for (const { message } of await Promise.all(failures)) {
        expect(message)
          .to.contain('the database')
          .and.not.match(/insert into|select/)
      }
      await db.schema.renameTable('elsewhere', TABLE)
    })
  })
}

for (const kind of [POSTGRESQL, MARIADB]) {
  describe(`knexCounters when ${kind.name} hangs`, function () {
    this.timeout(60_000)
    let server: DatabaseServer
    let database: TestDatabase
    let db: Knex
    before(async () => {
      const own = await ownServer(kind)
      server = own.server
      database = own.database
      db = database.connect()
      await migrateSecondStep(db)
    })
    after(() => database?.stop())

    // Whoever makes the database hang must not get attempts without a limit.
    it('rejects in the time that it has, and counts again after', async () => {
      const counter = knexCounters(db, { timeout: 200 }).counter('try', 60)
      // A busy machine may need longer for a connection.
      const patient = knexCounters(db, { timeout: 10_000 }).counter('try', 60)
      await patient.take('key', 1)
      server.pause()
      const began = performance.now()
      await rejectionOf(counter.take('key', 1))
      expect(performance.now() - began).to.be.below(2000)
      server.resume()
      expect((await patient.take('key', 1)).taken).to.equal(false)
    })
  })
}

describe('attempts at once on PostgreSQL', function () {
  this.timeout(60_000)
  let database: TestDatabase
  let db: Knex
  beforeEach(async () => {
    database = await POSTGRESQL.start()
    db = database.connect()
    await migrateSecondStep(db)
  })
  afterEach(() => database?.stop())

  const place = (name: string, key: string, limit: number) => ({ name, seconds: 60, key, limit })
  const idOf = ({ name, key }: { name: string; key: string }) =>
    counterHash(JSON.stringify([name, key]))

  /** Resolves as soon as so many statements wait for a lock of another one. */
  async function waiting(statements: number): Promise<void> {
    for (;;) {
      const { rows } = await db.raw(
        "select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      )
      if (Number(rows[0].n) >= statements) return
    }
  }

  /** As on a disk that takes its time, each statement keeps its locks for a while. */
  async function slowWrites(): Promise<void> {
    await db.raw(
      "create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.005); return null; end'",
    )
    await db.raw(
      `create trigger slow after insert or update on ${TABLE} for each statement execute function slow()`,
    )
  }

  // The attack: codes of one login sent at once from one address. One statement creates the login's count
  // while another waits for the address's, so that each waits for a row of the other until both time out.
  it('do not wait for each other where a count is created meanwhile', async () => {
    const counters = knexCounters(db)
    const address = place('codes-of-address', HERE, 100)
    const logins = Array.from({ length: 50 }, (_, nth) => place('pending-login', `login-${nth}`, 5))
    const login = logins.find((one) => idOf(one) < idOf(address))
    if (login === undefined || counters.takeAll === undefined) throw new Error('no such login')
    await counters.takeAll([address], [])
    const other = await database.connect().transaction()
    await other(TABLE).where('id', idOf(address)).forUpdate()
    const early = counters.takeAll([login, address], [])
    await waiting(1)
    const first = counters.takeAll([login], [])
    await Promise.race([first, waiting(2)])
    const late = knexCounters(database.connect()).takeAll?.([login, address], []) ?? []
    await waiting(2)
    await other.rollback()
    const answers = await Promise.all([early, first, late])
    expect(answers.flat().every(({ taken }) => taken)).to.equal(true)
    expect(await counters.counter(login.name, 60).taken(login.key)).to.equal(3)
    expect(await counters.counter(address.name, 60).taken(address.key)).to.equal(3)
  })

  // The attack: the same, where many create the same counts in any order. Each has been answered, and
  // no attempt that was refused holds a place.
  it('create the same counts in any order, and keep no place of a refused attempt', async () => {
    const processes = [1, 2, 3].map(() => knexCounters(database.connect()))
    for (let round = 0; round < 5; round += 1) {
      const names = Array.from({ length: 12 }, (_, nth) => place('wide', `${round}-${nth}`, 100))
      const narrow = place('narrow', `${round}`, 5)
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, nth) => {
          const some = names.filter((_, at) => (at + nth) % 3 > 0)
          return processes[nth % 3]?.takeAll?.([...some, narrow], []) ?? []
        }),
      )
      const whole = answers.filter((answer) => answer.every(({ taken }) => taken))
      expect(whole).to.have.length(5)
      const wide = knexCounters(db).counter('wide', 60)
      const taken = await Promise.all(names.map(({ key }) => wide.taken(key)))
      expect(taken.reduce((sum, one) => sum + one, 0)).to.equal(5 * 8)
      expect(await knexCounters(db).counter('narrow', 60).taken(narrow.key)).to.equal(5)
    }
  })

  for (const isolation of ['repeatable read', 'serializable']) {
    // The mistake: a statement that lost a race is sent again twice, and the fourth of a burst fails.
    it(`are all answered under \`${isolation}\``, async () => {
      const { pathname } = new URL(database.url)
      const setting = `set default_transaction_isolation = '${isolation}'`
      await db.raw(`alter database ?? ${setting}`, [pathname.slice(1)])
      await slowWrites()
      const processes = [1, 2, 3].map(() => knexCounters(database.connect()))
      const counted = database.connect()
      const address = place('address', HERE, 1000)
      await processes[0]?.takeAll?.([address], [])
      for (let round = 0; round < 3; round += 1) {
        const login = place('login', `login-${round}`, 5)
        const other = await counted.transaction()
        await other(TABLE).where('id', idOf(address)).increment('taken', 1)
        const burst = Array.from({ length: 9 }, (_, nth) => {
          const process = processes[nth % 3]
          if (nth > 6) return process?.counter('address', 60).take(HERE, 1000)
          return process?.takeAll?.([login, address], [])
        })
        await waiting(6)
        await other.commit()
        const answers = await Promise.all(burst)
        const whole = answers.flat().filter((answer) => answer?.taken)
        expect(whole).to.have.length(5 * 2 + 2)
      }
      expect(await processes[0]?.counter('address', 60).taken(HERE)).to.equal(1 + 3 * (1 + 5 + 2))
    })
  }

  // The mistake: rows that are over are removed in another order than attempts lock them in.
  it('do not wait in a circle with the removal of old counts', async () => {
    const counters = knexCounters(db)
    const [one, other] = [place('try', 'one', 5), place('try', 'other', 5)]
    await counters.takeAll?.([one, other], [])
    await db(TABLE).update({ ends: 1 })
    const holder = await db.transaction()
    await holder(TABLE).where('id', idOf(one)).forUpdate()
    await knexCounters(database.connect()).counter('try', 60).take('third', 1)
    const there = () => db(TABLE).where('id', idOf(other))
    while ((await there()).length > 0);
    expect(await db(TABLE).where('id', idOf(one))).to.have.length(1)
    await holder.rollback()
  })
})

describe('an app in production that has a database and no Redis', () => {
  let database: TestDatabase
  before(async () => {
    database = await SQLITE.start()
  })
  after(() => database.stop())

  it('counts for all its processes together', async () => {
    const options = () => ({ store: knexStore(database.connect()) })
    await migrateSecondStep(database.connect())
    const before = process.env.NODE_ENV
    process.env.NODE_ENV = 'production'
    const hosts = [1, 2].map(() => makeHost({ options: options(), routes: limitedLogin }))
    if (before === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = before
    const tryAt = (host: Host | undefined, password: string) => {
      if (host === undefined) throw new Error('there is no such host')
      return browserOf(host).post('/limited').send({ username: 'ann', password })
    }
    for (let time = 0; time < 10; time += 1) await tryAt(hosts[time % 2], 'guessed').expect(401)
    for (const host of hosts) await tryAt(host, ann.password).expect(429)
    await Promise.all(hosts.map(({ secondStep }) => secondStep.close()))
  })

  const limitedLogin: HostOptions['routes'] = ({ app, passport, secondStep }) => {
    app.post('/limited', secondStep.limitPassword(), passport.authenticate('local'))
  }
})

describe('knexCounters', () => {
  it('refuses anything but Knex, and unsupported databases', async () => {
    expect(() => knexCounters({} as Knex)).to.throw(errors.ConfigurationError, 'Knex instance')
    const other = knex({ client: class extends knex.Client {} })
    expect(() => knexCounters(other)).to.throw(errors.ConfigurationError, 'PostgreSQL')
    await other.destroy()
  })

  // It answers 0A000 to a statement that inserts into one table twice: every login would be a 503.
  it('takes places one by one in CockroachDB, in one statement in PostgreSQL', async () => {
    const takesAll = (client: string) => {
      const db = knex({ client })
      return { db, isSo: knexCounters(db).takeAll !== undefined }
    }
    const [cockroach, postgresql] = [takesAll('cockroachdb'), takesAll('pg')]
    expect([cockroach.isSo, postgresql.isSo]).to.deep.equal([false, true])
    await Promise.all([cockroach.db.destroy(), postgresql.db.destroy()])
  })
})
