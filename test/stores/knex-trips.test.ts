// The mistake: a change of the code adds a statement to every request, and nobody notices.

import { expect } from 'chai'
import type { Knex } from 'knex'
import { knexStore } from '../../lib/index.js'
import { type Browser, browserOf, enrol, giveCode, passFirstStep } from '../support/browser.js'
import { countedDatabase } from '../support/counted-database.js'
import { POSTGRESQL, type TestDatabase } from '../support/databases.js'
import { ann, bob, type Host, makeHost } from '../support/host.js'

const eve = { id: 'eve', name: 'Eve', password: 'eve-password' }

describe('what a request sends to PostgreSQL', function () {
  this.timeout(60_000)
  let database: TestDatabase
  let db: Knex
  let host: Host
  let sent: ReturnType<typeof countedDatabase>

  before(async () => {
    database = await POSTGRESQL.start()
    db = database.connect()
    await knexStore(db).migrate()
    host = makeHost({ users: [ann, bob, eve], options: { store: knexStore(db) } })
    // The store is opened by the first request, and old counts are removed by the first attempt.
    await enrol(host, eve)
    sent = countedDatabase(db)
  })
  after(async () => {
    await host?.secondStep.close()
    await database?.stop()
  })

  async function pendingOf(): Promise<{ browser: Browser; code: string; backupCode: string }> {
    const { code, backupCodes } = await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(200)
    return { browser, code: code(), backupCode: backupCodes[0] ?? '' }
  }

  it('is one statement for the guard at a GET', async () => {
    const browser = browserOf(host)
    await enrol(host, bob, browser)
    const { statements } = await sent(() => browser.get('/inside').expect(200))
    expect(statements).to.deep.equal(['select records policy'])
  })

  it('is one statement for the guards of many GETs that read at once', async () => {
    const ids = ['bob', 'eve', 'nobody', 'bob']
    const store = knexStore(db)
    const { statements } = await sent(async () => {
      const found = await Promise.all(ids.map((id) => store.read?.(id)))
      const users = found.map((one) => one?.record?.userId ?? null)
      expect(users).to.deep.equal(['bob', 'eve', null, 'bob'])
    })
    expect(statements).to.deep.equal(['select records policy'])
  })

  it('is nothing at the GET of a stranger', async () => {
    const { statements } = await sent(() => browserOf(host).get('/inside').expect(401))
    expect(statements).to.deep.equal([])
  })

  it('is one statement for a login up to the second step', async () => {
    const { statements } = await sent(() => passFirstStep(browserOf(host), eve).expect(200))
    expect(statements).to.deep.equal(['select records policy'])
  })

  it('is a read, the counters and the write for a code', async () => {
    const { browser, code } = await pendingOf()
    const { statements, trips } = await sent(() => giveCode(browser, code).expect(200))
    expect(statements).to.deep.equal([
      'select records policy',
      'insert counters',
      'update records events',
    ])
    expect(trips).to.equal(3)
  })
})
