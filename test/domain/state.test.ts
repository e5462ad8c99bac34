import { expect } from 'chai'
import { FOREVER } from '../../lib/domain/pause.js'
import { stateOf } from '../../lib/domain/state.js'
import {
  DAY,
  enrolledRecord,
  NOW,
  policyWith,
  recordWith,
  userContextWith,
} from '../support/records.js'

describe('The state of a second step', () => {
  const misses = (count: number) => ({
    attempts: { misses: Array.from({ length: count }, () => NOW - DAY + 1), consecutive: count },
  })
  const state = (record: ReturnType<typeof recordWith>, mode: 'off' | 'optional' | 'required') =>
    stateOf(userContextWith(record, policyWith(mode)), 1, NOW)

  it('is the first that applies', () => {
    const lockedAndPaused = enrolledRecord({ ...misses(20), pausedUntil: NOW + 1 })
    expect(state(lockedAndPaused, 'optional')).to.equal('locked')
    expect(state(enrolledRecord({ pausedUntil: NOW + 1 }), 'optional')).to.equal('paused')
    expect(state(enrolledRecord({ pausedUntil: NOW }), 'optional')).to.equal('on')
    expect(state(enrolledRecord(), 'off')).to.equal('on')
    expect(state(recordWith(), 'optional')).to.equal('off')
  })

  it('is locked at the cap of the window, and until the last millisecond', () => {
    expect(state(enrolledRecord(misses(19)), 'optional')).to.equal('on')
    const userContext = userContextWith(enrolledRecord(misses(12)), policyWith('optional'))
    expect(stateOf(userContext, 1, NOW)).to.equal('on')
    expect(stateOf(userContext, 2, NOW)).to.equal('locked')
    expect(stateOf(userContext, 2, NOW + 1)).to.equal('on')
  })

  it('is must-set-up for who owes an authenticator, by the policy or after a reset', () => {
    const reset = (until: number) => recordWith({ mustSetUp: { until } })
    for (const until of [NOW + 1, NOW])
      expect(state(reset(until), 'optional')).to.equal('must-set-up')
    expect(state(recordWith(), 'required')).to.equal('must-set-up')
    expect(state(reset(NOW + 1), 'off')).to.equal('off')
  })

  it('is on for a pause without an end that the policy does not honour', () => {
    const record = enrolledRecord({ pausedUntil: FOREVER })
    expect(state(record, 'optional')).to.equal('paused')
    expect(state(record, 'required')).to.equal('on')
  })
})
