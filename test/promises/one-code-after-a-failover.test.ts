// The attack: somebody has read a code that its owner has used, and waits for the database's machine to be lost, or
// reads where the last writes have not arrived: there the code is good, and the session that was ended lives.

import { expect } from 'chai'
import type { Knex } from 'knex'
import { isConfigurationError } from '../../lib/errors/configuration-error.js'
import { knexStore } from '../../lib/index.js'
import { enrolledRecord, nextVersion, thePolicy } from '../../lib/testing/documents.js'
import { rejectionOf } from '../stores/rejection.js'
import { giveCode } from '../support/browser.js'
import { connectTo } from '../support/databases.js'
import {
  type AppOnPair,
  begunLogin,
  openAgain,
  poolTo,
  signInAndOut,
  startAppOn,
} from '../support/lost-primary.js'
import { type PostgresPair, startPostgresPair } from '../support/postgres-pair.js'
import { warningsDuring } from '../support/warnings.js'

const OWNERS = 8
const BEFORE_THE_LOSS = 50

describe('One code opens one door, also after PostgreSQL has lost its primary', function () {
  this.timeout(120_000)
  let pair: PostgresPair
  let app: AppOnPair
  before(async () => {
    pair = await startPostgresPair({ waits: true })
    app = await startAppOn(pair, OWNERS)
  })
  after(async () => {
    await app?.close()
    await pair?.stop()
  })

  it('and is good for nobody while no standby has it', async () => {
    const [owner = expect.fail('no owner')] = app.owners
    const { browser } = await begunLogin(app, owner)
    const [code = ''] = owner.enrolment.backupCodes.slice(-1)
    // Nobody knows whether it is burned.
    owner.given.push(code)
    pair.standby.pause()
    try {
      await warningsDuring(async () => {
        expect((await giveCode(browser, code)).status).to.equal(503)
      })
    } finally {
      pair.standby.resume()
    }
  })

  describe('A standby that has not seen the last write yet', () => {
    const old = enrolledRecord('user', 1)
    const fresh = nextVersion(old, {})
    const pools: Knex[] = []
    const storeAt = (address: () => string) => {
      const pool = poolTo(address)
      pools.push(pool)
      return knexStore(pool)
    }
    let standby: Knex
    before(async () => {
      const store = storeAt(() => pair.primary.url)
      await store.write(old, 0)
      await store.writePolicy(thePolicy.make(1), 0)
      standby = connectTo(pair.standby.url)
      pools.push(standby)
      await standby.raw('select pg_wal_replay_pause()')
      await store.write(fresh, 1)
    })
    after(async () => {
      await standby.raw('select pg_wal_replay_resume()')
      await Promise.all(pools.map((pool) => pool.destroy()))
    })

    it('is refused at start-up, and by each read of a record, a claim or the policy', async () => {
      const stored = standby('second_step_records').whereLike('document', '%"userId":"user"%')
      expect(await stored.pluck('version')).to.deep.equal([1])
      const store = storeAt(() => pair.standby.url)
      const reads = [
        ...[store.open?.({ production: true }), store.find('user'), store.find('nobody')],
        ...[store.findPolicy(), store.findSerial?.('nobody'), store.read?.('user')],
      ]
      for (const error of await Promise.all(reads.map(rejectionOf))) {
        expect(isConfigurationError(error), error.message).to.equal(true)
        expect(error.message).to.contain('Connect Knex to the primary')
      }
    })

    it('never answers for the primary, in a pool that has both', async () => {
      let url = pair.primary.url
      const store = storeAt(() => url)
      const many = () => Promise.allSettled(Array.from({ length: 8 }, () => store.find('user')))
      await Promise.all([store.find('user'), store.find('user')])
      url = pair.standby.url
      const found = [...(await many()), ...(await many())]
      const answers = found.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      expect(answers.length).to.be.within(1, found.length - 1)
      for (const answer of answers) expect(answer).to.deep.equal(fresh)
    })
  })

  describe('The primary is killed in mid-run', () => {
    it('and every code that has signed somebody in is burned in the standby that is promoted', async () => {
      let loss: Promise<void> | null = null
      await warningsDuring(async () => {
        const refused = await signInAndOut(app, (count) => {
          if (count === BEFORE_THE_LOSS) loss = pair.primary.kill()
        })
        await loss
        expect(new Set(refused)).to.deep.equal(new Set([503]))
      })
      await pair.promote()
      app.moveTo(pair.standby.url)
      expect(app.owners.flatMap(({ accepted }) => accepted)).to.have.length.at.least(
        BEFORE_THE_LOSS,
      )
      expect(await openAgain(app)).to.deep.equal([])
      // And the app has gone on by itself.
      expect(await signInAndOut(app, () => undefined)).to.deep.equal([])
    })
  })
})
