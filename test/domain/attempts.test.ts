import { expect } from 'chai'
import {
  type Attempts,
  addMiss,
  attemptCaps,
  blockOf,
  clearConsecutive,
  dateMisses,
  dropOldMisses,
  noAttempts,
} from '../../lib/domain/attempts.js'
import { datesBy } from '../../lib/domain/miss-dates.js'
import { DAY, deepFreeze, HOUR, MINUTE, NOW } from '../support/records.js'

const MONTH = 30 * DAY
const caps = attemptCaps(3)

function missedAt(times: readonly number[], before: Attempts = noAttempts): Attempts {
  return times.reduce<Attempts>((attempts, at) => {
    return deepFreeze(addMiss(attempts, caps, at))
  }, deepFreeze(before))
}

/** Misses among which the owner signed in, so that none of them has to wait. */
function missedApart(times: readonly number[]): Attempts {
  return times.reduce<Attempts>((attempts, at) => {
    return deepFreeze(clearConsecutive(addMiss(attempts, caps, at)))
  }, noAttempts)
}

function repeat(count: number, at: (index: number) => number): readonly number[] {
  return Array.from({ length: count }, (_, index) => at(index))
}

describe('the caps of wrong codes', () => {
  const table = [
    { window: 0, day: 60, month: 300, consecutive: 100 },
    { window: 1, day: 20, month: 100, consecutive: 100 },
    { window: 2, day: 12, month: 60, consecutive: 60 },
  ]
  for (const { window, ...expected } of table) {
    it(`are ${Object.values(expected).join(', ')} with a window of ${window}`, () => {
      expect(attemptCaps(2 * window + 1)).to.deep.equal(expected)
    })
  }
})

describe('the wait after wrong codes in a row', () => {
  it('is none before the fifth', () => {
    for (let misses = 0; misses < 5; misses += 1) {
      const attempts = missedAt(repeat(misses, () => NOW))
      expect(blockOf(attempts, caps, NOW), `${misses} misses`).to.equal(null)
    }
  })

  const waits = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
  waits.forEach((minutes, index) => {
    const inARow = 5 + index
    it(`is ${minutes} min after the ${inARow}th, to the millisecond`, () => {
      const attempts = missedAt(repeat(inARow, () => NOW))
      const until = NOW + minutes * MINUTE
      expect(blockOf(attempts, caps, NOW)).to.deep.equal({ until, locked: false })
      expect(blockOf(attempts, caps, until - 1)).to.deep.equal({ until, locked: false })
      expect(blockOf(attempts, caps, until)).to.equal(null)
    })
  })

  it('is never longer than an hour', () => {
    const attempts = missedAt(repeat(99, (index) => NOW + index * 8 * HOUR))
    const last = NOW + 98 * 8 * HOUR
    expect(blockOf(attempts, caps, last)).to.deep.equal({ until: last + HOUR, locked: false })
  })

  it('begins at the last miss', () => {
    const attempts = missedAt([NOW - 4 * HOUR, NOW - 3 * HOUR, NOW - 2 * HOUR, NOW - HOUR, NOW])
    expect(blockOf(attempts, caps, NOW)?.until).to.equal(NOW + MINUTE)
  })

  it('ends with a success, and the next row begins at one', () => {
    const cleared = clearConsecutive(missedAt(repeat(9, () => NOW)))
    expect(blockOf(cleared, caps, NOW)).to.equal(null)
    const four = missedAt(
      repeat(4, () => NOW),
      cleared,
    )
    expect(blockOf(four, caps, NOW)).to.equal(null)
    expect(blockOf(missedAt([NOW], four), caps, NOW)?.until).to.equal(NOW + MINUTE)
  })
})

describe('the lock', () => {
  it('begins with the 20th miss in 24 hours and ends 24 hours after the first of them', () => {
    const times = repeat(20, (index) => NOW + index * HOUR)
    const last = NOW + 19 * HOUR
    expect(blockOf(missedApart(times.slice(1)), caps, last)).to.equal(null)
    const attempts = missedApart(times)
    const locked = { until: NOW + DAY, locked: true }
    expect(blockOf(attempts, caps, last)).to.deep.equal(locked)
    expect(blockOf(attempts, caps, NOW + DAY - 1)).to.deep.equal(locked)
    expect(blockOf(attempts, caps, NOW + DAY)).to.equal(null)
  })

  it('moves on with the window of 24 hours: one miss more, and the second one counts', () => {
    const times = repeat(20, (index) => NOW + index * HOUR)
    const attempts = missedApart([...times, NOW + DAY])
    expect(blockOf(attempts, caps, NOW + DAY)).to.deep.equal({
      until: NOW + DAY + HOUR,
      locked: true,
    })
  })

  it('begins with the 100th miss in 30 days and ends 30 days after the first of them', () => {
    const times = repeat(100, (index) => NOW + index * 7 * HOUR)
    const last = NOW + 99 * 7 * HOUR
    expect(blockOf(missedApart(times.slice(1)), caps, last)).to.equal(null)
    const attempts = missedApart(times)
    const locked = { until: NOW + MONTH, locked: true }
    expect(blockOf(attempts, caps, last)).to.deep.equal(locked)
    expect(blockOf(attempts, caps, NOW + MONTH - 1)).to.deep.equal(locked)
    expect(blockOf(attempts, caps, NOW + MONTH)).to.equal(null)
  })

  it('begins with the 100th miss in a row, however slow, and lasts 30 days from it', () => {
    const times = repeat(100, (index) => NOW + index * 12 * HOUR)
    const beforeLast = NOW + 98 * 12 * HOUR
    expect(blockOf(missedAt(times.slice(0, 99)), caps, beforeLast + HOUR)).to.equal(null)
    const attempts = missedAt(times)
    const last = NOW + 99 * 12 * HOUR
    const locked = { until: last + MONTH, locked: true }
    expect(blockOf(attempts, caps, last)).to.deep.equal(locked)
    expect(blockOf(attempts, caps, last + MONTH - 1)).to.deep.equal(locked)
    expect(blockOf(attempts, caps, last + MONTH)).to.equal(null)
    expect(blockOf(clearConsecutive(attempts), caps, last)).to.equal(null)
  })

  it('goes by the later of two reached caps', () => {
    const slow = repeat(80, (index) => NOW + index * 8 * HOUR)
    const burst = repeat(20, () => NOW + 27 * DAY)
    const attempts = missedApart([...slow, ...burst])
    expect(blockOf(attempts, caps, NOW + 27 * DAY)?.until).to.equal(NOW + MONTH)
    const late = missedApart([...slow, ...repeat(20, () => NOW + 29.5 * DAY)])
    expect(blockOf(late, caps, NOW + 29.5 * DAY)?.until).to.equal(NOW + 30.5 * DAY)
  })

  it('is told before a wait, and the wait may follow it', () => {
    const attempts = missedAt(repeat(20, (index) => NOW + index * 75 * MINUTE))
    const last = NOW + 19 * 75 * MINUTE
    expect(blockOf(attempts, caps, last)).to.deep.equal({ until: NOW + DAY, locked: true })
    expect(blockOf(attempts, caps, NOW + DAY)).to.deep.equal({
      until: last + HOUR,
      locked: false,
    })
  })

  it('is not lifted by a success: the misses themselves stay', () => {
    const attempts = missedAt(repeat(20, () => NOW))
    const cleared = clearConsecutive(attempts)
    expect(cleared).to.deep.equal({ misses: attempts.misses, consecutive: 0 })
    expect(blockOf(cleared, caps, NOW)).to.deep.equal({ until: NOW + DAY, locked: true })
  })

  for (const window of [0, 1, 2]) {
    it(`comes exactly with the cap of the day with a window of ${window}`, () => {
      const narrow = attemptCaps(2 * window + 1)
      const add = (attempts: Attempts) => clearConsecutive(addMiss(attempts, narrow, NOW))
      const almost = repeat(narrow.day - 1, () => NOW).reduce<Attempts>(add, noAttempts)
      expect(blockOf(almost, narrow, NOW)).to.equal(null)
      expect(blockOf(add(almost), narrow, NOW)).to.deep.equal({ until: NOW + DAY, locked: true })
    })
  }
})

describe('the history of misses', () => {
  it('is empty at first and blocks nobody, whatever the clock says', () => {
    for (const now of [0, 1, NOW]) expect(blockOf(noAttempts, caps, now)).to.equal(null)
    expect(noAttempts).to.deep.equal({ misses: [], consecutive: 0 })
  })

  it('keeps each miss with its time, the oldest first', () => {
    expect(missedAt([NOW, NOW + 1, NOW + 2])).to.deep.equal({
      misses: [NOW, NOW + 1, NOW + 2],
      consecutive: 3,
    })
  })

  it('forgets a miss after 30 days, to the millisecond, where a right code has proved the clock', () => {
    const attempts = missedApart([NOW, NOW + DAY])
    expect(dropOldMisses(attempts, NOW + MONTH - 1)).to.equal(attempts)
    expect(dropOldMisses(attempts, NOW + MONTH).misses).to.deep.equal([NOW + DAY])
    expect(addMiss(attempts, caps, NOW + MONTH).misses).to.deep.equal([NOW, NOW + DAY, NOW + MONTH])
  })

  it('goes on counting those in a row when old ones are forgotten', () => {
    const { consecutive } = dropOldMisses(missedAt([NOW, NOW + 40 * DAY]), NOW + 40 * DAY)
    expect(consecutive).to.equal(2)
  })

  it('never grows beyond the cap of the month, and keeps the newest', () => {
    const attempts = missedApart(repeat(130, (index) => NOW + index))
    expect(attempts.misses).to.deep.equal(repeat(100, (index) => NOW + 30 + index))
  })

  it('stays the very same object where there is nothing to clear', () => {
    const attempts = missedApart([NOW])
    expect(clearConsecutive(attempts)).to.equal(attempts)
  })
})

describe('misses that are dated ahead', () => {
  // A clock that was ahead for a while must not block the owner for as long as it was, nor forget
  // what it has counted.
  const ahead = Array.from({ length: 20 }, (_, index) => NOW + 300 * DAY + index)

  it('count as now', () => {
    const locked = { until: NOW + DAY, locked: true }
    expect(blockOf({ misses: ahead, consecutive: 0 }, caps, NOW)).to.deep.equal(locked)
    const waits = { misses: ahead.slice(0, 5), consecutive: 5 }
    expect(blockOf(waits, caps, NOW)).to.deep.equal({ until: NOW + MINUTE, locked: false })
  })

  it('are dated with the next miss, and age from then on', () => {
    const attempts = addMiss({ misses: ahead.slice(0, 2), consecutive: 0 }, caps, NOW)
    expect(datesBy(attempts.misses, NOW + DAY)).to.deep.equal([NOW, NOW, NOW])
    expect(datesBy(attempts.misses, NOW + 300 * DAY + 1).slice(0, 2)).to.deep.equal(
      ahead.slice(0, 2),
    )
  })

  it('stay as they are where the clocks of two machines are a minute apart at most', () => {
    const near = { misses: Array.from({ length: 20 }, () => NOW + MINUTE), consecutive: 20 }
    expect(blockOf(near, caps, NOW)?.locked).to.equal(true)
    expect(dateMisses(near, NOW)).to.equal(near)
  })
})
