import { expect } from 'chai'
import { tokenByAdmin, tokenBySerial } from '../../lib/domain/assigned-token.js'
import { capsOf } from '../../lib/domain/authenticators.js'
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
      expect(22 * month + Math.max(compared, 0)).to.be.at.most(300)
    }
    for (const other of others.near) {
      const before = enrolledRecord({ authenticators: [other] })
      const { record } = tokenByAdmin({ record: before }, token, MOMENT)
      expect(record.authenticators[1]).to.equal(token)
    }
  })

  it('is not bound where there are five that make codes', () => {
    const five = [1, 2, 3, 4, 5].map((nth) => authenticatorWith({ id: `app ${nth}` }))
    const record = enrolledRecord({ authenticators: five })
    const refused = tokenByAdmin({ record }, token, MOMENT)
    expect(refused).to.deep.equal({ record, answer: 'no-room', events: [] })
  })
})
