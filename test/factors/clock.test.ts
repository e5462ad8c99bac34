import { expect } from 'chai'
import { isAhead, isGoodUntil } from '../../lib/factors/clock.js'
import { MINUTE, NOW } from '../support/records.js'

describe('a time of another machine’s clock', () => {
  it('is ahead beyond a minute, to the millisecond', () => {
    expect(isAhead(NOW - 1, NOW)).to.equal(false)
    expect(isAhead(NOW + MINUTE, NOW)).to.equal(false)
    expect(isAhead(NOW + MINUTE + 1, NOW)).to.equal(true)
  })
})

describe('something that is valid for ten minutes', () => {
  it('is valid until then, but not if more than ten minutes and a minute remain', () => {
    const isGood = (left: number) => isGoodUntil(NOW + left, 10 * MINUTE, NOW)
    expect(isGood(0)).to.equal(false)
    expect(isGood(1)).to.equal(true)
    expect(isGood(11 * MINUTE)).to.equal(true)
    expect(isGood(11 * MINUTE + 1)).to.equal(false)
    expect(isGood(Number.MAX_SAFE_INTEGER - NOW)).to.equal(false)
  })
})
