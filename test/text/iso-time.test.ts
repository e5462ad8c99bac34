import { expect } from 'chai'
import fc from 'fast-check'
import { isoTime } from '../../lib/text/iso-time.js'

const LAST_TIME = 8_640_000_000_000_000

describe('isoTime', () => {
  it('writes every time as Date does', () => {
    const time = fc.oneof(
      fc.integer({ min: 1_600_000_000_000, max: 1_900_000_000_000 }),
      fc.integer({ min: -LAST_TIME, max: LAST_TIME }),
      fc.constantFrom(0, 1, -1, 86_399_999, 86_400_000, 951_782_400_000, -LAST_TIME, LAST_TIME),
    )
    fc.assert(
      fc.property(time, (one) => {
        expect(isoTime(one)).to.equal(new Date(one).toISOString())
      }),
      { numRuns: 3000 },
    )
  })

  it('refuses what is no time', () => {
    for (const none of [Number.NaN, Number.POSITIVE_INFINITY, LAST_TIME + 1, -LAST_TIME - 1]) {
      expect(() => isoTime(none)).to.throw(RangeError)
    }
  })
})
