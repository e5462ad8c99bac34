// The mistake: machines whose clocks differ share one list of dates, and one takes the dates of another
// for old ones, or for ones that have not come.

import { expect } from 'chai'
import { dateAhead, datesBy, missedNow, newerThan } from '../../lib/domain/miss-dates.js'
import { DAY, HOUR, MINUTE, NOW } from '../support/records.js'

const ANY = 100

describe('the dates of misses', () => {
  it('are those of the one clock there is', () => {
    const dates = [NOW, NOW, NOW + 1, NOW + DAY]
    expect(datesBy(dates, NOW + DAY)).to.deep.equal(dates)
    expect(dateAhead(dates, NOW + DAY)).to.equal(dates)
    expect(missedNow(dates, NOW + 2 * DAY, ANY)).to.deep.equal([...dates, NOW + 2 * DAY])
  })

  it('are of two misses where clocks are a minute apart, and of one where they are further', () => {
    expect(datesBy([NOW + MINUTE, NOW], NOW)).to.deep.equal([NOW + MINUTE, NOW + MINUTE])
    expect(datesBy([NOW + MINUTE + 1, NOW], NOW)).to.deep.equal([NOW])
    expect(datesBy([NOW + MINUTE + 1, NOW], NOW + 1)).to.deep.equal([NOW + MINUTE + 1])
  })

  it('count as now while they are ahead, and age from when this clock has seen them', () => {
    const ahead = [NOW + HOUR, NOW + 2 * HOUR]
    expect(datesBy(ahead, NOW)).to.deep.equal([NOW, NOW])
    const seen = dateAhead(ahead, NOW)
    expect(seen).to.deep.equal([NOW + HOUR, NOW, NOW + 2 * HOUR, NOW])
    expect(datesBy(seen, NOW + 30 * MINUTE)).to.deep.equal([NOW, NOW])
    expect(datesBy(seen, NOW + 2 * HOUR), 'the other clock').to.deep.equal(ahead)
    expect(dateAhead(seen, NOW + 5 * MINUTE)).to.equal(seen)
  })

  it('are no earlier than that of the miss before, by a clock behind', () => {
    const dates = missedNow([NOW], NOW - 40 * DAY, ANY)
    expect(dates).to.deep.equal([NOW, NOW - 40 * DAY, NOW, NOW - 40 * DAY])
    expect(datesBy(dates, NOW)).to.deep.equal([NOW, NOW])
    expect(datesBy([NOW, NOW - 30 * MINUTE, NOW - 20 * MINUTE], NOW)).to.deep.equal([NOW, NOW])
  })

  it('of a clock behind are translated by how far it was behind at the last miss', () => {
    const behind = (now: number) => now - HOUR
    const dates = missedNow([NOW], behind(NOW), ANY)
    const then = NOW + 30 * MINUTE
    const later = missedNow(dates, behind(then), ANY)
    const typedAt = [NOW, NOW, then]
    expect(datesBy(later, then)).to.deep.equal(typedAt)
    expect(datesBy(later, behind(then))).to.deep.equal(typedAt.map(behind))
    const back = missedNow(later, then + HOUR, ANY)
    expect(back, 'and no longer once it is right').to.deep.equal([...later, then + HOUR])
  })

  it('leave the dates by faster clocks to the next miss when the oldest is dropped', () => {
    const [far, near] = [NOW + 40 * DAY, NOW + HOUR]
    const full = [far, near, NOW, NOW + 1]
    expect(missedNow(full, NOW + 2, 2)).to.deep.equal([
      ...[far, near, NOW + 1],
      ...[NOW + 2 + far - NOW, NOW + 2],
    ])
    expect(missedNow([NOW, NOW + 1], NOW + 2, 2)).to.deep.equal([NOW + 1, NOW + 2])
    expect(missedNow([NOW, NOW + 1], NOW + 2, 1)).to.deep.equal([NOW + 2])
  })

  it('are four of one miss at most: by the fastest clocks and the slowest', () => {
    const dates = [5, 4, 3, 2].map((days) => NOW + days * DAY)
    expect(dateAhead(dates, NOW + DAY)).to.deep.equal([...dates.slice(0, 3), NOW + DAY])
    expect(dateAhead(dates.slice(1), NOW + DAY)).to.deep.equal([...dates.slice(1), NOW + DAY])
  })

  it('are dropped by age as this clock has them', () => {
    const dates = [NOW + 40 * DAY, NOW, NOW + DAY]
    expect(newerThan(dates, 2 * DAY, NOW + 2 * DAY - 1)).to.equal(dates)
    expect(newerThan(dates, 2 * DAY, NOW + 2 * DAY)).to.deep.equal([NOW + DAY])
  })
})
