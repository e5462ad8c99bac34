import { expect } from 'chai'
import { countUser, noCounts, OVERVIEW_DAYS } from '../../lib/domain/overview.js'
import { FOREVER } from '../../lib/domain/pause.js'
import type { Policy, Subject } from '../../lib/domain/policy.js'
import { blankRecord, type SecondStepRecord } from '../../lib/domain/record.js'
import {
  authenticatorWith,
  backupCodeSet,
  DAY,
  deepFreeze,
  enrolledRecord,
  KEY_IDS,
  keyWith,
  NOBODY_SPECIAL,
  NOW,
  policyWith,
  recordWith,
} from '../support/records.js'

const ROLES = ['admin', 'user', 'constructor']

function countOf(
  users: readonly (readonly [SecondStepRecord, Partial<Subject>?] | null)[],
  policy: Policy = policyWith('optional'),
) {
  const by = { policy, roles: ROLES, keyIds: KEY_IDS, window: 1, now: NOW }
  return users.reduce((counts, user) => {
    const subject = { ...NOBODY_SPECIAL, ...user?.[1] }
    return countUser(deepFreeze(counts), user && { record: user[0], subject }, by)
  }, noCounts(ROLES))
}

describe('An overview', () => {
  it('counts each user in one state, and those in grace until their last day', () => {
    const grace = {
      ...policyWith('required'),
      graceDays: 7,
      requiredSince: { general: NOW, roles: {} },
    }
    const early = blankRecord('early')
    const counts = countOf(
      [
        [enrolledRecord()],
        [enrolledRecord({ pausedUntil: NOW + DAY })],
        [recordWith({ ruleStart: NOW - 5 * DAY })],
        [recordWith({ ruleStart: NOW - 7 * DAY })],
        [recordWith({ mustSetUp: { until: NOW + DAY } })],
        [recordWith({ mustSetUp: { until: NOW } })],
        [early],
        [early, { privileged: true }],
      ],
      grace,
    )
    expect(counts).to.deep.include({
      users: 8,
      states: { on: 1, off: 0, 'must-set-up': 6, paused: 1, locked: 0 },
      late: 3,
      inGrace: 2,
      graceEnds: { first: NOW + 2 * DAY, last: NOW + 7 * DAY },
    })
  })

  it('tells until when users are paused, and how many without an end', () => {
    const paused = (pausedUntil: number) => [enrolledRecord({ pausedUntil })] as const
    const users = [paused(NOW + 3 * DAY), paused(NOW + DAY), paused(FOREVER), paused(NOW)]
    const pauses = { count: 3, forever: 1, last: NOW + 3 * DAY }
    expect(countOf(users).pauses).to.deep.equal(pauses)
    const required = { count: 2, forever: 0, last: NOW + 3 * DAY }
    expect(countOf(users, policyWith('required')).pauses).to.deep.equal(required)
  })

  it('counts who cannot be read as on, and never as off', () => {
    expect(countOf([null, [recordWith()]]).states).to.deep.include({ on: 1, off: 1 })
  })

  it('counts users by role, in each that the policy knows, and once by each kind of factor', () => {
    const app = authenticatorWith()
    const { roles, factors } = countOf([
      [
        enrolledRecord({ authenticators: [app, app, keyWith({})] }),
        { roles: ['admin', 'user', 'user'] },
      ],
      [recordWith(), { roles: ['user', 'toString'] }],
    ])
    expect(factors).to.deep.equal({ totp: 1, hotp: 0, webauthn: 1 })
    expect(Object.fromEntries(roles)).to.deep.equal({
      admin: { users: 1, enrolled: 1 },
      user: { users: 2, enrolled: 1 },
      constructor: { users: 0, enrolled: 0 },
    })
  })

  it('counts few backup codes and unsaved ones of those who are enrolled, while there are any', () => {
    const four = backupCodeSet('one', 'two', 'three', 'four')
    const users = [
      [enrolledRecord({ backupCodes: { ...four, saved: false } })],
      [enrolledRecord({ backupCodes: { ...four, keyId: 'gone' } })],
      [enrolledRecord({ backupCodes: null })],
      [recordWith({ backupCodes: null })],
    ] as const
    expect(countOf(users)).to.deep.include({ fewBackupCodes: 2, unsavedBackupCodes: 1 })
    const without = countOf(users, { ...policyWith('optional'), backupCodes: false })
    expect(without).to.deep.include({ fewBackupCodes: 0, unsavedBackupCodes: 0 })
  })

  it('counts the days since when they are enrolled, those before in none', () => {
    const since = (time: number) =>
      [enrolledRecord({ authenticators: [authenticatorWith({ since: time })] })] as const
    const midnight = NOW - (NOW % DAY)
    const { setUp } = countOf([
      since(NOW + DAY),
      since(midnight),
      since(midnight - 1),
      since(midnight - (OVERVIEW_DAYS - 1) * DAY),
      since(midnight - (OVERVIEW_DAYS - 1) * DAY - 1),
    ])
    expect(setUp).to.have.length(OVERVIEW_DAYS)
    expect(setUp.slice(-2)).to.deep.equal([1, 2])
    expect(setUp[0]).to.equal(1)
    expect(setUp.reduce((sum, count) => sum + count)).to.equal(4)
  })
})
