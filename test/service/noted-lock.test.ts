import { expect } from 'chai'
import { noAttempts } from '../../lib/domain/attempts.js'
import type { Decision } from '../../lib/domain/decision.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { DAY, enrolledRecord, NOW, recordWith, USER } from '../support/records.js'
import { raising, requestInfo, world } from './scripted-store.js'

const attempts = { misses: Array.from({ length: 20 }, () => NOW), consecutive: 0 }

function leaving(left: SecondStepRecord['attempts']) {
  return (record: SecondStepRecord): Decision<null> => {
    return { record: { ...record, attempts: left }, answer: null, events: [] }
  }
}

describe('the lock that a record is listed by', () => {
  it('is noted with the write that puts it on, and gone with the one that lifts it', async () => {
    const { store, records } = world()
    await records.change(USER, requestInfo, leaving(attempts), enrolledRecord())
    expect(store.written[0]?.lockedUntil).to.equal(NOW + DAY)
    await records.change(USER, requestInfo, leaving(noAttempts))
    expect(store.written[1]?.lockedUntil).to.equal(null)
  })

  it('is by the caps of the window that the host chose', async () => {
    const { store, records } = world({ window: 0 })
    await records.change(USER, requestInfo, leaving(attempts), enrolledRecord())
    expect(store.written[0]?.lockedUntil).to.equal(null)
  })

  it('is null without an authenticator', async () => {
    const { store, records } = world()
    await records.change(USER, requestInfo, raising(), recordWith({ attempts }))
    expect(store.written[0]?.lockedUntil).to.equal(null)
  })
})
