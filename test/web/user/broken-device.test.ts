// The mistake: one device of a user is sealed under a key that has left the ring, and nobody signs in with the
// healthy one either. The attack on the mend: guesses at the healthy one cost nothing.

import { expect } from 'chai'
import { ADMIN, adminVisit } from '../../support/admin.js'
import { expectProblem, postJson } from '../../support/answers.js'
import { enrol, giveCode } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import { ann } from '../../support/host.js'
import { secretOf } from '../../support/records.js'
import { pendingBrowser, recordOf } from '../../support/visits.js'

const SEED = '3132333435363738393031323334353637383930'

/** Ann has an app, and a fob whose key is gone. */
async function withBrokenFob() {
  const { host, browser: admin } = await adminVisit()
  const app = await enrol(host, ann)
  const token = { type: 'hotp', secret: SEED, serial: 'A-1' }
  await postJson(admin, `${ADMIN}/users/ann/token`, token).expect(200)
  const record = await recordOf(host)
  const authenticators = record.authenticators.map((one) => {
    const rest = secretOf(one).split('.').slice(2).join('.')
    return one.type === 'hotp' ? { ...one, secret: `v1.AAAAAAAA.${rest}` } : one
  })
  const broken = { ...record, authenticators, version: record.version + 1, writeId: 'broken' }
  expect(await host.store.write(broken, record.version)).to.equal(true)
  host.system.advance(30 * SECOND)
  return { host, app }
}

describe('A user with a broken device', () => {
  it('signs in by the healthy one', async () => {
    const { host, app } = await withBrokenFob()
    await giveCode(await pendingBrowser(host), app.code()).expect(200)
  })

  it('is guessed at for no longer than another, and the operator hears of it once', async () => {
    const { host } = await withBrokenFob()
    const told: string[] = []
    host.secondStep.events.on('secret-unreadable', () => told.push('unreadable'))
    const login = await pendingBrowser(host)
    for (let misses = 1; misses <= 4; misses += 1) {
      const wrong = await giveCode(login, '000000')
      expectProblem(wrong, 'unavailable', 503)
      expect((await recordOf(host)).attempts.misses).to.have.length(misses)
    }
    expectProblem(await giveCode(login, '000000'), 'too-many-attempts', 429)
    expect(told).to.deep.equal(['unreadable'])
  })
})
