import { expect } from 'chai'
import { noAttempts } from '../../lib/domain/attempts.js'
import type { Decision } from '../../lib/domain/decision.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { Sessions } from '../../lib/service/sessions.js'
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

  it('that a clock ahead has noted goes away at the user’s next request', async () => {
    // They are not locked, and no list of admins would show them.
    const ahead = enrolledRecord({ lockedUntil: NOW + 3 * DAY, version: 1 })
    const { store, records, system } = world()
    store.stored = ahead
    const sessions = new Sessions(records, system)
    await sessions.userContext(USER, { roles: [], createdAt: null, privileged: false })
    expect(store.written[0]?.lockedUntil).to.equal(null)
  })
})
