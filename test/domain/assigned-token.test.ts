import { expect } from 'chai'
import { tokenByAdmin, tokenBySerial } from '../../lib/domain/assigned-token.js'
import { capsOf, missesLeft } from '../../lib/domain/miss-budget.js'
import {
  authenticatorWith,
  DAY,
  deepFreeze,
  enrolledRecord,
  hotpWith,
  NOW,
  recordWith,
} from '../support/records.js'

const token = deepFreeze(hotpWith({ id: 'token', serial: 'A-1', lastUsedAt: null }))
const MOMENT = { window: 1, now: NOW }

describe('an assigned token', () => {
  it('is bound beside what there is, ends sessions, and what was owed or begun', () => {
    const owed = recordWith({ version: 1, epoch: 4, mustSetUp: { until: NOW + DAY } })
    const { record, answer, events } = tokenByAdmin({ record: owed }, token, MOMENT)
    expect(answer).to.equal('done')
    expect(record).to.include({ epoch: 5, mustSetUp: null, setup: null })
    expect(record.authenticators).to.deep.equal([token])
    expect(events).to.deep.equal([
      { type: 'token-assigned', method: 'hotp', detail: { name: null, serial: 'A-1' } },
    ])
    const beside = tokenByAdmin({ record: enrolledRecord() }, token, MOMENT).record
    expect(beside.authenticators.map(({ id }) => id)).to.deep.equal(['first', 'token'])
    expect(beside.backupCodes).to.deep.equal(enrolledRecord().backupCodes)
  })

  it('is found by its number in any case, and an app by none', () => {
    const record = enrolledRecord({ authenticators: [authenticatorWith(), token] })
    expect(tokenBySerial(record, 'a-1')).to.equal(token)
    expect(tokenBySerial(record, 'a-10')).to.equal(null)
    expect(tokenBySerial(enrolledRecord(), '')).to.equal(null)
  })

  // The attack: a month's wrong codes are compared with the hundred codes of one new token after another.
  it('has its hundred codes where no other token had them within a month', () => {
    const misses = [NOW - DAY, NOW]
    const others = {
      far: [
        hotpWith({ id: 'other', serial: 'B-1', lastUsedAt: null }),
        hotpWith({ id: 'other', serial: 'B-1', lastUsedAt: null, farMisses: misses }),
        hotpWith({ id: 'other', serial: 'B-1', lastUsedAt: NOW, farMisses: misses }),
      ],
      near: [
        authenticatorWith(),
        hotpWith({ id: 'other' }),
        hotpWith({ id: 'other', serial: 'B-1', lastUsedAt: NOW }),
        hotpWith({ id: 'other', serial: 'B-1', lastUsedAt: NOW, farMisses: [NOW - 31 * DAY] }),
      ],
    }
    for (const other of others.far) {
      const before = enrolledRecord({ authenticators: [other] })
      const { record } = tokenByAdmin({ record: before }, token, MOMENT)
      expect(record.authenticators[1]).to.deep.equal({ ...token, farMisses: [0, 0] })
      const { month } = capsOf(record, 1, NOW)
      const compared = other.farMisses.length * 90
      expect(22 * month + compared).to.be.at.most(300)
    }
    for (const other of others.near) {
      const before = enrolledRecord({ authenticators: [other] })
      const { record } = tokenByAdmin({ record: before }, token, MOMENT)
      expect(record.authenticators[1]).to.equal(token)
    }
  })

  // The attack: a month's tries are used up, all but two, before the token is assigned.
  it('has its hundred codes where the month has room for its wrong codes', () => {
    for (let missed = 0; missed <= 100; missed += 1) {
      const misses = Array.from({ length: missed }, (_, nth) => NOW - DAY + nth)
      const before = enrolledRecord({ attempts: { misses, consecutive: 0 } })
      const { record } = tokenByAdmin({ record: before }, token, MOMENT)
      const bound = record.authenticators[1]
      if (bound?.type !== 'hotp') throw new Error('it is bound')
      // Before, each wrong code was compared with three codes; of two, each will be with 104.
      const chances = 3 * missed + (bound.farMisses.length === 0 ? 2 * 104 : 0)
      expect(chances, `${missed} misses`).to.be.at.most(300)
      if (missed <= 20) expect(bound.farMisses, `${missed} misses`).to.deep.equal([])
    }
    const old = Array.from({ length: 100 }, () => NOW - 31 * DAY)
    const before = enrolledRecord({ attempts: { misses: old, consecutive: 0 } })
    const { record } = tokenByAdmin({ record: before }, token, MOMENT)
    expect(record.authenticators[1]).to.equal(token)
  })

  // The mistake: a morning's trouble with a phone, and each fob that mends it locks its user for a month.
  it('leaves as many wrong codes in a row as there were, in proportion', () => {
    const spare = deepFreeze(hotpWith({ id: 'spare', serial: 'A-2', lastUsedAt: null }))
    const inARow = (missed: number) => {
      const misses = Array.from({ length: missed }, (_, nth) => NOW - 2 * DAY + nth)
      const before = enrolledRecord({ attempts: { misses, consecutive: missed } })
      const one = tokenByAdmin({ record: before }, token, MOMENT).record
      const two = tokenByAdmin({ record: one }, spare, MOMENT).record
      return [one, two].map((record) => ({
        left: missesLeft(record, 1, NOW),
        row: record.attempts.consecutive,
      }))
    }
    expect(inARow(12)).to.deep.equal([
      { left: 4, row: 3 },
      { left: 2, row: 2 },
    ])
    expect(
      inARow(99).map(({ left }) => left),
      'one of a hundred left',
    ).to.deep.equal([0, 0])
    for (let missed = 0; missed <= 100; missed += 1) {
      const [one, two] = inARow(missed).map(({ row }) => row)
      expect(one, `${missed} of 21`).to.be.at.least(0.21 * missed)
      expect(two, `${missed} of 12`).to.be.at.least(0.12 * missed)
    }
  })

  it('is not bound where there are five that make codes', () => {
    const five = [1, 2, 3, 4, 5].map((nth) => authenticatorWith({ id: `app ${nth}` }))
    const record = enrolledRecord({ authenticators: five })
    const refused = tokenByAdmin({ record }, token, MOMENT)
    expect(refused).to.deep.equal({ record, answer: 'no-room', events: [] })
  })
})
