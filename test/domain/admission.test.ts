import { expect } from 'chai'
import type { Policy } from '../../lib/domain/policy.js'
import { blankRecord } from '../../lib/domain/record.js'
import type { SetupGrant } from '../../lib/domain/setup-grant.js'
import { endStamp, raiseEpoch, type Stamp } from '../../lib/domain/stamp.js'
import { type Admission, pendingStandingOf, stillAdmitted } from '../../lib/domain/standing.js'
import {
  authenticatorWith,
  enrolledRecord,
  keyWith,
  MINUTE,
  NOBODY_SPECIAL,
  NOW,
  policyWith,
  UNPROVEN,
  USER,
  userContextWith,
} from '../support/records.js'

const optional = policyWith('optional')
const pending = {
  ...{ id: 'pending', userId: USER, epoch: 1, at: NOW, next: null, locale: null },
  ...{
    passport: { instance: 0, user: USER },
    keepSessionInfo: false,
    subject: NOBODY_SPECIAL,
    stampId: null,
    stampVersion: null,
  },
}
const stamp: Stamp = {
  id: 'stamp',
  userId: USER,
  epoch: 1,
  method: 'totp',
  at: NOW,
  version: 2,
  instance: 0,
}
const setup = { ...UNPROVEN, secret: 'sealed', startedAt: NOW, misses: 0, replaces: 'all' as const }

describe('a pending login and a password that was changed', () => {
  const standing = (passwordChangedAt: number | null, at = NOW) =>
    pendingStandingOf(
      { ...pending, at },
      userContextWith(enrolledRecord({ passwordChangedAt }), optional),
      NOW + MINUTE,
    )

  it('is over when it was begun before, to the millisecond', () => {
    // Somebody guessed the password; its owner changes it while the guesser's login is pending.
    expect(standing(NOW + 1)).to.equal('over')
    expect(standing(NOW + MINUTE)).to.equal('over')
    expect(standing(NOW, NOW - 1)).to.equal('over')
  })

  it('goes on when it was begun in the same moment, or after', () => {
    expect(standing(NOW)).to.equal('code-required')
    expect(standing(NOW - 1)).to.equal('code-required')
    expect(standing(null)).to.equal('code-required')
  })
})

describe('a pending login that took the place of a session', () => {
  it('is over once that session was logged out: it must not become a first step', () => {
    // A slow request has read the record before the log-out and saves its pending login after it.
    const standing = (stampId: string | null, ...ended: readonly string[]) => {
      const record = enrolledRecord({ ended: ended.map((id) => ({ id, version: 1 })) })
      return pendingStandingOf({ ...pending, stampId }, userContextWith(record, optional), NOW)
    }
    expect(standing('stamp', 'other', 'stamp')).to.equal('over')
    expect(standing('stamp', 'other')).to.equal('code-required')
    expect(standing(null, 'other', 'stamp')).to.equal('code-required')
  })

  it('is over also once the list of ended stamps has forgotten that session', () => {
    const standing = (stampVersion: number | null) => {
      const userContext = userContextWith(enrolledRecord({ endedUpTo: 4 }), optional)
      return pendingStandingOf({ ...pending, stampId: 'stamp', stampVersion }, userContext, NOW)
    }
    expect(standing(4)).to.equal('over')
    expect(standing(null), 'a session of version 0.1.0').to.equal('over')
    expect(standing(5)).to.equal('code-required')
  })

  it('is over once it was ended itself, and no other one is', () => {
    const record = enrolledRecord({ endedLogins: [{ id: 'pending', until: NOW + MINUTE }] })
    const standing = (id: string) =>
      pendingStandingOf({ ...pending, id }, userContextWith(record, optional), NOW)
    expect(standing('pending')).to.equal('over')
    expect(standing('other')).to.equal('code-required')
  })
})

// A relayed app code, which the rule refuses, leads who has no fob to the set-up of one. The rule comes to accept their key, and
// one-time codes: the set-up of anything goes on for ten minutes.
describe('a pending login that a proof has led to the set-up', () => {
  const record = enrolledRecord({
    authenticators: [authenticatorWith(), keyWith()],
  })
  const standing = (
    policy: Partial<Policy>,
    roles: readonly string[] = ['staff'],
    under: Partial<SetupGrant> = {},
  ) =>
    pendingStandingOf(
      pending,
      {
        ...userContextWith(
          { ...record, setupGrant: { owner: pending.id, until: NOW + 10 * MINUTE, ...under } },
          { ...optional, ...policy },
        ),
        subject: { ...NOBODY_SPECIAL, roles },
      },
      NOW + MINUTE,
    )
  const accepts = { staff: ['webauthn', 'one-time-code'] } as const

  it('is asked again once the policy has changed, where a rule binds its user', () => {
    expect(standing({ accepts, updatedAt: NOW })).to.equal('code-required')
    expect(standing({ accepts, updatedAt: NOW + MINUTE })).to.equal('code-required')
  })

  it('is asked again by the version of the policy, whatever the clocks say', () => {
    for (const updatedAt of [NOW - MINUTE, NOW + 30 * MINUTE]) {
      const changed = { accepts, version: 8, updatedAt }
      expect(standing(changed, ['staff'], { policy: 7 })).to.equal('code-required')
      expect(standing(changed, ['staff'], { policy: 8 })).to.equal('setup-required')
    }
  })

  it('goes on where the policy changed before, or binds them by nothing', () => {
    expect(standing({ accepts, updatedAt: NOW - 1 })).to.equal('setup-required')
    expect(standing({ accepts, updatedAt: null })).to.equal('setup-required')
    expect(standing({ accepts, updatedAt: NOW }, ['user'])).to.equal('setup-required')
  })
})

describe('a request that was let in', () => {
  const asPending: Admission = { kind: 'pending', pending }
  const inSession = (of: Stamp | null): Admission => ({
    kind: 'signed-in',
    userId: USER,
    stamp: of,
  })
  const admitted = (admission: Admission, parts = {}, now = NOW) =>
    stillAdmitted(admission, userContextWith(enrolledRecord(parts), optional), now)

  it('still is where nothing happened', () => {
    expect(admitted(asPending)).to.equal(true)
    expect(admitted(inSession(stamp))).to.equal(true)
  })

  it('ends with its login', () => {
    for (const admission of [asPending, inSession(stamp), inSession(null)]) {
      expect(admitted(admission, { epoch: 2 })).to.equal(false)
    }
    const ended = [{ id: 'stamp', version: 2 }]
    expect(admitted(inSession(stamp), { ended })).to.equal(false)
    expect(admitted(inSession({ ...stamp, userId: 'bob' }))).to.equal(false)
  })

  it('ends with its pending login, to the millisecond', () => {
    expect(admitted(asPending, {}, NOW + 10 * MINUTE - 1)).to.equal(true)
    expect(admitted(asPending, {}, NOW + 10 * MINUTE)).to.equal(false)
    expect(admitted(asPending, { passwordChangedAt: NOW + 1 }, NOW + 2)).to.equal(false)
  })
})

describe('a set-up in progress', () => {
  it('ends with every session', () => {
    const record = enrolledRecord({ setup: { ...setup, owner: 'anybody' } })
    expect(raiseEpoch(record).setup).to.equal(null)
  })

  it('ends with the session that began it, and with no other', () => {
    // A log-out would leave a key behind that whoever holds the old session could still confirm.
    const record = { ...blankRecord(USER), setup: { ...setup, owner: 'stamp' } }
    expect(endStamp(record, 'stamp').setup).to.equal(null)
    expect(endStamp(record, 'another').setup).to.deep.equal(record.setup)
  })
})
