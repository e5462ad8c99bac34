import { expect } from 'chai'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { endStamp, freshUntil, raiseEpoch, type Stamp } from '../../lib/domain/stamp.js'
import { DAY, deepFreeze, enrolledRecord, MINUTE, NOW, recordWith } from '../support/records.js'

const MONTH = 30 * DAY
const stamp: Stamp = { id: 'stamp', userId: 'ada', epoch: 1, method: 'totp', at: NOW }

describe('a stamp', () => {
  it('is fresh for five minutes after a code', () => {
    expect(freshUntil(stamp)).to.equal(NOW + 5 * MINUTE)
    expect(freshUntil({ ...stamp, method: 'backup-code' })).to.equal(NOW + 5 * MINUTE)
  })

  it('is never fresh where no code was given', () => {
    expect(freshUntil({ ...stamp, method: 'none' })).to.equal(null)
  })
})

describe('the list of ended stamps', () => {
  function ended(...ids: readonly string[]): SecondStepRecord {
    return recordWith({ ended: ids.map((id, index) => ({ id, at: NOW + index })) })
  }

  it('gets the id and the time, and nothing else of the record changes', () => {
    const record = enrolledRecord({ ended: [{ id: 'first', at: NOW - DAY }] })
    expect(deepFreeze(endStamp(record, 'second', NOW))).to.deep.equal({
      ...record,
      ended: [
        { id: 'first', at: NOW - DAY },
        { id: 'second', at: NOW },
      ],
    })
  })

  it('keeps a stamp for 30 days, to the millisecond', () => {
    const ids = (now: number) => endStamp(ended('old'), 'new', now).ended.map(({ id }) => id)
    expect(ids(NOW + MONTH - 1)).to.deep.equal(['old', 'new'])
    expect(ids(NOW + MONTH)).to.deep.equal(['new'])
  })

  it('keeps at most 50, and the newest win', () => {
    const fifty = Array.from({ length: 50 }, (_, index) => `stamp-${index}`)
    const full = fifty.reduce<SecondStepRecord>((record, id, index) => {
      return deepFreeze(endStamp(record, id, NOW + index))
    }, recordWith())
    expect(full.ended.map(({ id }) => id)).to.deep.equal(fifty)
    const after = endStamp(full, 'one-more', NOW + DAY).ended.map(({ id }) => id)
    expect(after).to.deep.equal([...fifty.slice(1), 'one-more'])
  })

  it('has each stamp once, with its last time', () => {
    expect(endStamp(ended('one', 'two'), 'one', NOW + DAY).ended).to.deep.equal([
      { id: 'two', at: NOW + 1 },
      { id: 'one', at: NOW + DAY },
    ])
  })
})

describe('raising the epoch', () => {
  it('adds one and empties the list of ended stamps: older epochs are dead anyway', () => {
    const record = enrolledRecord({ epoch: 7, ended: [{ id: 'stamp', at: NOW }] })
    expect(deepFreeze(raiseEpoch(record))).to.deep.equal({ ...record, epoch: 8, ended: [] })
  })

  it('counts from 0 for a user who was never heard of', () => {
    expect(raiseEpoch(recordWith()).epoch).to.equal(1)
  })
})
