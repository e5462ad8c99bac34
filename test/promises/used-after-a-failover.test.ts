// The attack: somebody who has seen a code on its way waits until the master of Redis dies, and gives the
// code again to the replica that took its place and does not know that it was used.

import { expect } from 'chai'
import { memoryCounters } from '../../lib/limits/memory-counters.js'
import {
  type LoginsAroundAFailover,
  loginsAroundAFailover,
} from '../support/logins-around-a-failover.js'

// The longest: a slow machine must not refuse what its replica gets.
const DURABILITY = { replicas: 1, within: 500 }
const IN_TIME = 2000
const IN = '200 signed-in'
const USED = /^401 /
const REFUSED = '503 unavailable'

describe('A used code after the loss of the master', function () {
  this.timeout(30_000)
  let logins: LoginsAroundAFailover | undefined
  afterEach(() => logins?.stop())

  for (const client of ['ioredis', 'node-redis']) {
    it(`stays used with durability, and one that the replica does not know of opens no door: ${client}`, async () => {
      logins = await loginsAroundAFailover({ durability: DURABILITY }, {}, client)
      const { pair, login, nextCode, failOver } = logins
      pair.replica.pause()
      const began = performance.now()
      expect(await login('first')).to.equal(REFUSED)
      expect(performance.now() - began).to.be.below(IN_TIME)
      pair.replica.resume()
      await pair.inStep()
      nextCode()
      expect(await login('first')).to.equal(IN)
      await failOver()
      expect(await login('second')).to.match(USED)
    })
  }

  it('opens one door with durability, where the replica lags when the master dies', async () => {
    // The store's own counters would refuse before the code is looked at.
    const counters = memoryCounters()
    logins = await loginsAroundAFailover({ durability: DURABILITY }, { counters })
    const { pair, login, failOver } = logins
    pair.cut()
    expect(await login('first')).to.equal(REFUSED)
    expect(await login('second')).to.match(USED)
    await failOver()
    expect(await login('second')).to.equal(IN)
  })

  // SECURITY.md says so. Were it not so, the case above would prove nothing.
  it('opens a second door without durability, where the replica lags', async () => {
    logins = await loginsAroundAFailover({})
    const { pair, login, failOver } = logins
    pair.cut()
    expect(await login('first')).to.equal(IN)
    await failOver()
    expect(await login('second')).to.equal(IN)
  })
})
