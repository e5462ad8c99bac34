// The attack: somebody knows the password and guesses at two machines in turn whose clocks differ. The
// machine whose clock is wrong forgets, or dates into the past, what the other has counted.
//
// Promised: clocks within a minute keep the caps. Whatever the clocks, no miss is lost. A machine whose
// clock is further off may give a budget of its own, as it can't tell the right machine's new misses from
// old ones until it has counted one itself: two clocks give at most twice the cap of a day, and the year
// stays below 0.4 %. Once a machine has dated a miss, it counts for it as long as by its own clock.

import { expect } from 'chai'
import fc from 'fast-check'
import {
  type Attempts,
  addMiss,
  attemptCaps,
  blockOf,
  clearConsecutive,
  dateMisses,
  noAttempts,
} from '../../lib/domain/attempts.js'
import { datesBy } from '../../lib/domain/miss-dates.js'
import { DAY, HOUR, MINUTE, NOW, SECOND } from '../support/records.js'

const MONTH = 30 * DAY
const YEAR = 365 * DAY
const caps = attemptCaps(3)

/** What a clock says, by the right time. */
type Clock = (now: number) => number

const right: Clock = (now) => now
const apart =
  (by: number): Clock =>
  (now) =>
    now + by

const wrongClocks: readonly (readonly [string, Clock])[] = [
  ['2 minutes ahead', apart(2 * MINUTE)],
  ['2 minutes behind', apart(-2 * MINUTE)],
  ['2 hours ahead', apart(2 * HOUR)],
  ['2 hours behind', apart(-2 * HOUR)],
  ['25 hours ahead', apart(25 * HOUR)],
  ['25 hours behind', apart(-25 * HOUR)],
  ['31 days ahead', apart(31 * DAY)],
  ['31 days behind', apart(-31 * DAY)],
  ['in 1970', apart(-NOW)],
]

type Order = 'in turn' | 'one after the other'

/**
 * Guesses at every moment at which a machine looks at a code, while the owner signs in all the time.
 *
 * @returns the right times of the verdicts
 */
function guessedAt(clocks: readonly Clock[], order: Order, lasts: number): readonly number[] {
  const verdicts: number[] = []
  let attempts: Attempts = noAttempts
  const isOpen = (clock: Clock, now: number): boolean => {
    attempts = dateMisses(attempts, clock(now))
    return blockOf(attempts, caps, clock(now)) === null
  }
  const guess = (clock: Clock, now: number): void => {
    attempts = clearConsecutive(addMiss(attempts, caps, clock(now)))
    verdicts.push(now)
  }
  const opensAt = (clock: Clock, now: number): number =>
    now + (blockOf(attempts, caps, clock(now))?.until ?? clock(now)) - clock(now)
  for (
    let now = NOW;
    now < NOW + lasts;
    now = Math.min(...clocks.map((one) => opensAt(one, now)))
  ) {
    for (let open = clocks; open.length > 0; ) {
      open = open.filter((clock) => isOpen(clock, now))
      for (const clock of order === 'in turn' ? open : open.slice(0, 1)) {
        if (isOpen(clock, now)) guess(clock, now)
      }
      if (verdicts.length > 10_000) throw new Error('guesses without end')
    }
  }
  return verdicts
}

function mostWithin(length: number, times: readonly number[]): number {
  let from = 0
  return times.reduce((most, at, index) => {
    while (at - (times[from] ?? at) >= length) from += 1
    return Math.max(most, index - from + 1)
  }, 0)
}

function chanceOf(guesses: number): number {
  return 1 - (1 - 3 / 1_000_000) ** guesses
}

describe('guessing at two machines whose clocks differ', () => {
  for (const by of [0, 20 * SECOND, MINUTE, -MINUTE]) {
    it(`keeps the caps of a day and a month with clocks ${by / SECOND} s apart`, () => {
      const verdicts = guessedAt([right, apart(by)], 'in turn', YEAR)
      expect(mostWithin(DAY - MINUTE, verdicts)).to.equal(caps.day)
      expect(mostWithin(MONTH - MINUTE, verdicts)).to.equal(caps.month)
      expect(chanceOf(verdicts.length)).to.be.below(0.004)
    })
  }

  for (const [name, wrong] of wrongClocks) {
    for (const order of ['in turn', 'one after the other'] as const) {
      for (const clocks of [
        [right, wrong],
        [wrong, right],
      ]) {
        const first = clocks[0] === right ? 'right' : 'wrong'
        it(`does not pay ${order} with a clock ${name}, the ${first} one first`, () => {
          const verdicts = guessedAt(clocks, order, YEAR)
          expect(mostWithin(DAY, verdicts)).to.be.at.most(2 * caps.day)
          expect(mostWithin(MONTH, verdicts)).to.be.at.most(caps.month + 3 * caps.day)
          expect(chanceOf(verdicts.length)).to.be.below(0.004)
        })
      }
    }
  }

  it('gives each of three clocks and more at most a budget of its own', () => {
    const clocks = [right, apart(31 * DAY), apart(2 * HOUR), apart(-31 * DAY)]
    const verdicts = guessedAt(clocks, 'one after the other', 2 * MONTH)
    expect(mostWithin(DAY, verdicts)).to.be.at.most(clocks.length * caps.day)
    expect(mostWithin(MONTH, verdicts)).to.be.at.most(clocks.length * caps.month)
  })
})

describe('a miss dated ahead', () => {
  it('locks the owner out for no longer than the cap, from when a right clock has seen it', () => {
    const ahead = Array.from({ length: caps.day }, () => NOW + 300 * DAY)
    const attempts = dateMisses({ misses: ahead, consecutive: 0 }, NOW)
    expect(blockOf(attempts, caps, NOW)).to.deep.equal({ until: NOW + DAY, locked: true })
    expect(blockOf(attempts, caps, NOW + DAY)).to.equal(null)
    expect(dateMisses(attempts, NOW + HOUR), 'it is dated once').to.equal(attempts)
    const later = blockOf(dateMisses(attempts, NOW + 300 * DAY), caps, NOW + 300 * DAY)
    expect(later?.until, 'and stays counted by the clock that was ahead').to.equal(NOW + 301 * DAY)
  })

  it('is not lost, and nor is any other, whatever the clocks of the machines', () => {
    const clock = fc.oneof(
      fc.constantFrom(0, MINUTE, 2 * MINUTE, 2 * HOUR, 31 * DAY, 62 * DAY).map((by) => NOW + by),
      fc.integer({ min: 0, max: 2 * NOW }),
    )
    fc.assert(
      fc.property(fc.array(clock, { maxLength: 150 }), (clocks) => {
        let attempts = noAttempts
        for (const now of clocks) {
          attempts = addMiss(attempts, caps, now)
          const seen = datesBy(attempts.misses, now)
          expect(seen.at(-1)).to.be.at.least(now)
          expect(blockOf(attempts, caps, now)?.until ?? 0).to.be.at.most(now + MONTH + MINUTE)
        }
        const misses = datesBy(attempts.misses, NOW)
        expect(misses).to.have.length(Math.min(clocks.length, caps.month))
        expect(attempts.misses.length).to.be.at.most(4 * caps.month)
        expect(attempts.consecutive).to.equal(clocks.length)
      }),
      { numRuns: 100 },
    )
  })

  it('of 100 in a row without a usable date is locked', () => {
    const attempts = { misses: [], consecutive: caps.consecutive }
    expect(blockOf(attempts, caps, NOW)).to.deep.equal({ until: NOW + MONTH, locked: true })
    const ahead = { misses: [NOW + 40 * DAY], consecutive: caps.consecutive }
    expect(blockOf(ahead, caps, NOW)).to.deep.equal({ until: NOW + MONTH, locked: true })
  })
})
