import { expect } from 'chai'
import { memoryCounters } from '../../lib/limits/memory-counters.js'
import type { Counters, WantedPlace } from '../../lib/ports/counters.js'
import { takeEach } from '../../lib/ports/take-each.js'
import { rejectionOf } from '../stores/rejection.js'

const AWAY = new Error('the server of this key is away')
const required: WantedPlace = { name: 'codes', seconds: 60, key: 'ann', limit: 5 }
const optional: WantedPlace = { name: 'noted', seconds: 60, key: 'ann', limit: 5, optional: true }
const another: WantedPlace = { name: 'addresses', seconds: 60, key: '1.2.3.4', limit: 5 }

/** Counters of a cluster that has lost the servers of these. */
function without(...names: readonly string[]) {
  const counters = memoryCounters()
  const partly: Counters = {
    counter(name, seconds) {
      const counter = counters.counter(name, seconds)
      if (!names.includes(name)) return counter
      return { ...counter, take: () => Promise.reject(AWAY) }
    },
  }
  const takenOf = ({ name, seconds, key }: WantedPlace) =>
    counters.counter(name, seconds).taken(key)
  return { partly, takenOf }
}

// In a cluster whose part for the audit log's counts is down, right codes were refused, and used up the
// pending login as if they had been guesses.
describe('places that are taken one by one, where a part of the counters is away', () => {
  it('are taken although an optional one cannot be counted', async () => {
    const { partly, takenOf } = without('noted')
    const takings = await takeEach(partly, [required, optional], [])
    expect(takings.map(({ taken }) => taken)).to.deep.equal([true, false])
    expect(await takenOf(required)).to.equal(1)
  })

  it('are given back where a required one cannot be counted', async () => {
    const { partly, takenOf } = without('addresses')
    const wanted = [{ ...required, first: true }, another, optional]
    expect(await rejectionOf(takeEach(partly, wanted, []))).to.equal(AWAY)
    expect(await takenOf(required)).to.equal(0)
    expect(await takenOf(optional)).to.equal(0)
  })
})
