// The attack: a machine's clock was ahead for a while, or is behind that of another. What it has dated is
// refused today, but opens an account when its time comes; or what one machine has ended is good
// again because another takes its date for a wrong one.

import { expect } from 'chai'
import { oneTimeCodeByAdmin, pauseByAdmin, resetByAdmin } from '../../lib/domain/administration.js'
import { settleAhead } from '../../lib/domain/dated-ahead.js'
import { FOREVER, pauseEnd, pauseOf } from '../../lib/domain/pause.js'
import {
  ENDED_LOGINS_AT_MOST,
  endLogin,
  type PendingLogin,
  pendingExpiresAt,
} from '../../lib/domain/pending-login.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { resetByUser } from '../../lib/domain/reset.js'
import { demandOf } from '../../lib/domain/standing.js'
import {
  DAY,
  deepFreeze,
  enrolledRecord,
  HOUR,
  MINUTE,
  NOW,
  policyWith,
  SECOND,
  userContextWith,
} from '../support/records.js'

/** What is demanded of the user by a clock that has looked at the record at each of these times. */
function demandedAt(record: SecondStepRecord, times: readonly number[]): readonly string[] {
  let seen = record
  return times.map((now) => {
    seen = deepFreeze(settleAhead(seen, now))
    return demandOf(userContextWith(seen, policyWith('optional')), now)
  })
}

function withOneTimeCode(now: number): SecondStepRecord {
  const code = { id: 'a', keyId: null, digest: 'd', expiresAt: now + DAY, usedAt: null }
  return oneTimeCodeByAdmin(
    userContextWith(enrolledRecord(), policyWith('optional')),
    code,
    now,
    [],
  ).record
}

describe('what a clock has dated ahead', () => {
  const mailReset = {
    id: 'reset',
    keyId: null,
    addressDigest: 'address',
    digests: ['digest'],
    askedAt: NOW + 30 * DAY,
    usableAt: NOW + 30 * DAY,
    expiresAt: NOW + 31 * DAY,
    readyTold: true,
    ip: null,
    userAgent: null,
  }
  const trust = {
    ...{ id: 'trust', keyId: 'k', digest: 'd', previous: null, policyVersion: 0, name: null },
    ...{ rotatedAt: NOW + DAY, createdAt: NOW + DAY, expiresAt: NOW + 15 * DAY },
  }
  const used = { ...trust, createdAt: NOW, expiresAt: NOW + 14 * DAY }
  const settledTrust = { ...used, id: 'other', previous: 'before', rotatedAt: NOW + MINUTE }
  const begun = { type: 'totp', algorithm: 'sha1', digits: 6, period: 30 } as const
  const setup = { ...begun, owner: 'me', startedAt: NOW + DAY, misses: 0, sealed: 's', keyId: 'k' }
  const dropped: readonly (readonly [string, SecondStepRecord, Partial<SecondStepRecord>])[] = [
    ['a one-time code', withOneTimeCode(NOW + 30 * DAY), { oneTimeCodes: [] }],
    ['a reset by mail', enrolledRecord({ mailReset }), { mailReset: null }],
    ['a set-up in progress', enrolledRecord({ setup: setup as never }), { setup: null }],
    [
      'the grant of a one-time code',
      enrolledRecord({ setupGrant: { owner: 'me', until: NOW + DAY } }),
      { setupGrant: null },
    ],
    ['a trusted browser', enrolledRecord({ trustedBrowsers: [trust] }), { trustedBrowsers: [] }],
    [
      'the secret that a trusted browser had before a use',
      enrolledRecord({ trustedBrowsers: [{ ...used, previous: 'before' }, settledTrust] }),
      { trustedBrowsers: [used, settledTrust] },
    ],
    [
      'a pause longer than any',
      enrolledRecord({ pausedUntil: NOW + 400 * DAY }),
      { pausedUntil: null },
    ],
  ]
  for (const [name, record, settled] of dropped) {
    it(`is over for good: ${name}`, () => {
      expect(settleAhead(deepFreeze(record), NOW)).to.deep.equal({ ...record, ...settled })
    })
  }

  it('is left alone where clocks are a minute apart at most, or nothing is ahead', () => {
    const untouched = [
      enrolledRecord(),
      withOneTimeCode(NOW + MINUTE),
      withOneTimeCode(NOW - 2 * DAY),
      enrolledRecord({ mailReset: { ...mailReset, askedAt: NOW + MINUTE } }),
      enrolledRecord({ setup: { ...setup, startedAt: NOW + MINUTE } as never }),
      enrolledRecord({ setupGrant: { owner: 'me', until: NOW + 11 * MINUTE } }),
      enrolledRecord({ trustedBrowsers: [{ ...trust, createdAt: NOW + MINUTE }, settledTrust] }),
      enrolledRecord({ trustedBrowsers: [used] }),
      enrolledRecord({ pausedUntil: NOW + 365 * DAY + MINUTE }),
      enrolledRecord({ pausedUntil: FOREVER }),
      enrolledRecord({ attempts: { misses: [NOW, NOW + MINUTE], consecutive: 2 } }),
      resetByUser(enrolledRecord(), NOW + MINUTE).record,
      resetByAdmin(userContextWith(enrolledRecord(), policyWith('optional')), NOW + MINUTE).record,
    ]
    for (const record of untouched) expect(settleAhead(record, NOW)).to.equal(record)
    const record = enrolledRecord({ pausedUntil: FOREVER })
    expect(pauseOf(userContextWith(record, policyWith('optional')), NOW)).to.equal(FOREVER)
  })

  it('counts as now where it limits: a miss', () => {
    const record = enrolledRecord({ attempts: { misses: [NOW + DAY], consecutive: 1 } })
    expect(settleAhead(record, NOW).attempts).to.deep.equal({
      misses: [NOW + DAY, NOW],
      consecutive: 1,
    })
  })
})

describe('a pause by a clock that is ahead', () => {
  const context = userContextWith(enrolledRecord(), policyWith('optional'))
  const pausedBy = (ahead: number) =>
    pauseByAdmin(context, pauseEnd(1, NOW + ahead), NOW + ahead).record

  it('lets nobody in without a code, then or later', () => {
    for (const ahead of [2 * MINUTE, HOUR, 5 * DAY, 30 * DAY]) {
      const days = [0, 0.5, 1.01, 4, 5.5, 30.5].map((time) => NOW + time * DAY)
      expect(new Set(demandedAt(pausedBy(ahead), days)), `${ahead} ms ahead`).to.deep.equal(
        new Set(['code']),
      )
      expect(settleAhead(pausedBy(ahead), NOW)).to.deep.equal(enrolledRecord())
    }
  })

  it('does not count where the guard has not settled the record', () => {
    const paused = { ...context, record: pausedBy(5 * DAY) }
    expect(pauseOf(paused, NOW)).to.equal(null)
  })

  it('of a minute at most is as any other', () => {
    expect(demandedAt(pausedBy(MINUTE), [NOW, NOW + 0.9 * DAY])).to.deep.equal([
      'nothing',
      'nothing',
    ])
  })
})

describe('a reset by a clock that is ahead', () => {
  const days = (...times: readonly number[]) => times.map((time) => NOW + time * DAY)

  it('of the user’s own leads nobody to the set-up by the password alone, then or later', () => {
    for (const ahead of [2 * MINUTE, HOUR, 5 * DAY, 30 * DAY]) {
      const { record } = resetByUser(enrolledRecord(), NOW + ahead)
      const demanded = demandedAt(
        record,
        days(0, 0.5, 1.5, 5, 5.5, 6.5, 23.5, 24.5, 30.1, 30.9, 31),
      )
      expect(new Set(demanded), `${ahead} ms ahead`).to.deep.equal(new Set(['code']))
    }
  })

  it('of an admin leads to it for seven days by a right clock, or not at all', () => {
    const by = (now: number) =>
      resetByAdmin(userContextWith(enrolledRecord(), policyWith('optional')), now).record
    expect(demandedAt(by(NOW), days(0, 6.9, 7))).to.deep.equal(['setup', 'setup', 'code'])
    const demanded = demandedAt(by(NOW + 30 * DAY), days(0, 23, 24.5, 30.1, 36, 37))
    expect(new Set(demanded)).to.deep.equal(new Set(['code']))
  })

  it('asks the user for a set-up again under no policy: the note of it stays', () => {
    const { record } = resetByUser(enrolledRecord(), NOW + DAY)
    const settled = settleAhead(record, NOW)
    for (const mode of ['optional', 'required'] as const) {
      const context = userContextWith(settled, policyWith(mode))
      expect(demandOf(context, NOW), mode).to.equal('code')
    }
  })

  it('that says no start, as before there was one, is measured by the longer time', () => {
    const record = { ...enrolledRecord(), authenticators: [], mustSetUp: { until: NOW + 6 * DAY } }
    expect(demandedAt(record, [NOW])).to.deep.equal(['setup'])
  })
})

describe('a login that was ended', () => {
  const pendingAt = (id: string, at: number) => ({ id, at, stampId: null }) as PendingLogin
  const endedBy = (record: SecondStepRecord) => record.endedLogins.map(({ id }) => id)

  for (const [name, by] of [
    ['2 minutes behind', -2 * MINUTE],
    ['2 hours behind', -2 * HOUR],
    ['in 1970', -NOW + MINUTE],
    ['2 hours ahead', 2 * HOUR],
  ] as const) {
    it(`stays ended when another one ends at a machine whose clock is ${name}`, () => {
      const first = endLogin(enrolledRecord(), pendingAt('first', NOW), NOW)
      const both = endLogin(deepFreeze(first), pendingAt('other', NOW + by), NOW + by)
      expect(endedBy(both)).to.deep.equal(['first', 'other'])
    })
  }

  it('is forgotten a day after its ten minutes', () => {
    const first = pendingAt('first', NOW)
    const record = endLogin(enrolledRecord(), first, NOW)
    const end = pendingExpiresAt(first) + DAY
    const kept = endLogin(record, pendingAt('other', end - SECOND), end - SECOND)
    expect(endedBy(kept)).to.deep.equal(['first', 'other'])
    expect(endedBy(endLogin(record, pendingAt('other', end), end))).to.deep.equal(['other'])
  })

  it('leaves room in a full list once it is over, or where another clock has dated it', () => {
    const many = (until: number) =>
      Array.from({ length: ENDED_LOGINS_AT_MOST }, (_, nth) => ({ id: `old ${nth}`, until }))
    for (const until of [NOW, NOW - HOUR, NOW + 20 * MINUTE]) {
      const record = enrolledRecord({ endedLogins: many(until) })
      expect(endedBy(endLogin(record, pendingAt('mine', NOW), NOW))).to.deep.equal(['mine'])
    }
    const full = enrolledRecord({ endedLogins: many(NOW + MINUTE) })
    expect(endLogin(full, pendingAt('mine', NOW), NOW)).to.equal(full)
  })
})
