import { expect } from 'chai'
import { endLogin, type PendingLogin } from '../../lib/domain/pending-login.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import {
  endStamp,
  freshUntil,
  isEnded,
  isFresh,
  raiseEpoch,
  renewedVersion,
  renewStamp,
  type Stamp,
} from '../../lib/domain/stamp.js'
import {
  DAY,
  deepFreeze,
  enrolledRecord,
  MINUTE,
  NOBODY_SPECIAL,
  NOW,
  recordWith,
  UNPROVEN,
} from '../support/records.js'

const stamp: Stamp = {
  id: 'stamp',
  userId: 'ada',
  epoch: 1,
  method: 'totp',
  at: NOW,
  version: 2,
  instance: 0,
}

describe('a stamp', () => {
  it('is fresh for five minutes after a code', () => {
    expect(freshUntil(stamp)).to.equal(NOW + 5 * MINUTE)
    expect(freshUntil({ ...stamp, method: 'backup-code' })).to.equal(NOW + 5 * MINUTE)
  })

  it('is fresh from a minute before its time on, and no longer', () => {
    for (const [at, fresh] of [
      [NOW - MINUTE - 1, false],
      [NOW - MINUTE, true],
      [NOW, true],
      [NOW + 5 * MINUTE - 1, true],
      [NOW + 5 * MINUTE, false],
    ] as const) {
      expect(isFresh(stamp, at)).to.equal(fresh)
      expect(isFresh({ ...stamp, method: 'none' }, at)).to.equal(false)
    }
    expect(isFresh(null, NOW)).to.equal(false)
  })

  it('is never fresh where no code was given', () => {
    expect(freshUntil({ ...stamp, method: 'none' })).to.equal(null)
  })
})

describe('a renewed stamp', () => {
  const record = deepFreeze(recordWith({ version: 7 }))
  const renewed = deepFreeze({ ...renewStamp(record, 'stamp'), version: 8 })
  const now = { id: 'stamp', version: renewedVersion(record) }

  it('is good from this write on, and over as it was, also from the same version', () => {
    for (const version of [0, 2, 7]) {
      expect(isEnded(renewed, { id: 'stamp', version })).to.equal(true)
    }
    expect(isEnded(renewed, now)).to.equal(false)
    expect(isEnded(renewed, { id: 'other', version: 2 })).to.equal(false)
  })

  it('keeps the set-up that its session began, and is over for good by a log-out', () => {
    const setup = {
      ...UNPROVEN,
      secret: 'a.b.c',
      owner: 'stamp',
      startedAt: NOW,
      misses: 0,
      replaces: 'all' as const,
    }
    expect(renewStamp(deepFreeze({ ...record, setup }), 'stamp').setup).to.equal(setup)
    expect(isEnded(endStamp(renewed, 'stamp'), now)).to.equal(true)
  })

  it('lives on where fifty log-outs drop it from the list, and stays over as it was', () => {
    let later = renewed
    for (let index = 0; index < 50; index += 1) {
      later = { ...endStamp(later, `other-${index}`), version: later.version + 1 }
    }
    expect(later.ended.some(({ id }) => id === 'stamp')).to.equal(false)
    expect(isEnded(later, now)).to.equal(false)
    expect(isEnded(later, { id: 'stamp', version: 7 })).to.equal(true)
  })
})

describe('the list of ended stamps', () => {
  const ids = ({ ended }: SecondStepRecord) => ended.map(({ id }) => id)

  /** Logs stamps out one after the other; each write raises the version. */
  function logOut(names: readonly string[], from: SecondStepRecord): SecondStepRecord {
    return names.reduce<SecondStepRecord>((record, id) => {
      return deepFreeze({ ...endStamp(record, id), version: record.version + 1 })
    }, deepFreeze(from))
  }

  const fifty = Array.from({ length: 50 }, (_, index) => `stamp-${index}`)
  const full = logOut(fifty, recordWith({ version: 7 }))

  it('gets the id and the version, and nothing else of the record changes', () => {
    const record = enrolledRecord({ version: 4, ended: [{ id: 'first', version: 2 }] })
    expect(deepFreeze(endStamp(record, 'second'))).to.deep.equal({
      ...record,
      ended: [
        { id: 'first', version: 2 },
        { id: 'second', version: 4 },
      ],
    })
  })

  it('has at most 50, and remembers of the others until when stamps are over', () => {
    expect(ids(full)).to.deep.equal(fifty)
    expect(full.endedUpTo).to.equal(null)
    const one = logOut(['one-more'], full)
    expect(ids(one)).to.deep.equal([...fifty.slice(1), 'one-more'])
    expect(one.endedUpTo, 'the version at which the first was logged out').to.equal(7)
    expect(logOut(['another'], one).endedUpTo).to.equal(8)
  })

  it('forgets no stamp: not the oldest of 51, under whichever version it was given', () => {
    const record = logOut(['one-more'], full)
    for (const id of [...fifty, 'one-more']) {
      expect(isEnded(record, { id, version: 7 }), id).to.equal(true)
    }
    for (const version of [0, 6, 7]) {
      expect(isEnded(record, { id: 'stamp-0', version })).to.equal(true)
    }
  })

  it('ends no stamp that was given after the oldest one was logged out', () => {
    const record = logOut(['one-more'], full)
    expect(isEnded(record, { id: 'other', version: 8 })).to.equal(false)
    expect(isEnded(full, { id: 'other', version: 0 }), 'while none is forgotten').to.equal(false)
  })

  it('has each stamp once, with its last version', () => {
    const again = logOut(['stamp-0'], full)
    expect(ids(again)).to.deep.equal([...fifty.slice(1), 'stamp-0'])
    expect(again.endedUpTo).to.equal(null)
  })
})

describe('the list of ended pending logins', () => {
  const pending = (id: string, at = NOW): PendingLogin => ({
    ...{ id, userId: 'ada', epoch: 1, at, next: null, locale: null, keepSessionInfo: false },
    ...{ passport: { instance: 0, user: 'ada' }, subject: NOBODY_SPECIAL },
    ...{ stampId: null, stampVersion: null },
  })
  const ids = ({ endedLogins }: SecondStepRecord) => endedLogins.map(({ id }) => id)

  function cancel(names: readonly string[], from: SecondStepRecord, at = NOW): SecondStepRecord {
    return names.reduce<SecondStepRecord>((record, id) => {
      return deepFreeze(endLogin(record, pending(id, at), at))
    }, deepFreeze(from))
  }

  const twenty = Array.from({ length: 20 }, (_, index) => `login-${index}`)

  it('has a login until its ten minutes are over by a day, to the millisecond', () => {
    const record = cancel(['first'], enrolledRecord())
    expect(record).to.deep.equal({
      ...enrolledRecord(),
      endedLogins: [{ id: 'first', until: NOW + 10 * MINUTE }],
    })
    const over = NOW + 10 * MINUTE + DAY
    expect(ids(cancel(['next'], record, over - 1))).to.deep.equal(['first', 'next'])
    expect(ids(cancel(['next'], record, over))).to.deep.equal(['next'])
  })

  it('has at most 20; then nothing is written, and nobody else’s login ends', () => {
    const record = cancel(twenty, enrolledRecord())
    expect(ids(record)).to.deep.equal(twenty)
    expect(endLogin(record, pending('one-more'), NOW)).to.equal(record)
    expect(endLogin(record, pending('login-3'), NOW)).to.equal(record)
  })

  it('is not kept full by logins of a clock that was ahead', () => {
    const ahead = cancel(twenty, enrolledRecord(), NOW + 24 * 60 * MINUTE)
    expect(ids(cancel(['one-more'], ahead))).to.deep.equal(['one-more'])
  })

  it('also ends a set-up that the login began, even if the list is full', () => {
    const setup = {
      ...UNPROVEN,
      owner: 'it',
      secret: 'sealed',
      startedAt: NOW,
      misses: 0,
      replaces: 'all' as const,
    }
    const setupGrant = { owner: 'it', until: NOW + MINUTE }
    const begun = recordWith({ setup, setupGrant })
    for (const record of [begun, cancel(twenty, begun)]) {
      expect(endLogin(record, pending('it'), NOW)).to.include({ setup: null, setupGrant: null })
      expect(endLogin(record, pending('other'), NOW)).to.include({ setup, setupGrant })
    }
  })
})

describe('a pending login in place of a session', () => {
  const login: PendingLogin = {
    ...{ id: 'it', userId: 'ada', epoch: 1, at: NOW, next: null, locale: null },
    ...{ passport: { instance: 0, user: 'ada' }, subject: NOBODY_SPECIAL, keepSessionInfo: true },
    ...{ stampId: 'stamp', stampVersion: 1 },
  }
  const record = deepFreeze(enrolledRecord({ version: 3 }))

  it('ends together with the stamp of that session', () => {
    expect(endLogin(record, login, NOW)).to.deep.equal({
      ...record,
      ended: [{ id: 'stamp', version: 3 }],
      endedLogins: [{ id: 'it', until: NOW + 10 * MINUTE }],
    })
  })

  it('ends the stamp alone where its ten minutes are over', () => {
    const { ended, endedLogins } = endLogin(record, login, NOW + 10 * MINUTE)
    expect([ended, endedLogins]).to.deep.equal([[{ id: 'stamp', version: 3 }], []])
  })

  it('changes nothing where it has ended already, or its stamp was forgotten', () => {
    const over = deepFreeze(endLogin(record, login, NOW))
    expect(endLogin(over, login, NOW)).to.equal(over)
    const forgotten = deepFreeze({ ...record, endedUpTo: 1 })
    expect(endLogin(forgotten, login, NOW + 10 * MINUTE)).to.equal(forgotten)
  })
})

describe('raising the epoch', () => {
  it('adds one and empties the lists of ended ones: older epochs are dead anyway', () => {
    const ended = { ended: [{ id: 'stamp', version: 1 }], endedUpTo: 3 }
    const record = enrolledRecord({ epoch: 7, ...ended, endedLogins: [{ id: 'it', until: NOW }] })
    const empty = { ended: [], endedUpTo: null, endedLogins: [] }
    expect(deepFreeze(raiseEpoch(record))).to.deep.equal({ ...record, epoch: 8, ...empty })
  })

  it('counts from 0 for a user who was never heard of', () => {
    expect(raiseEpoch(recordWith()).epoch).to.equal(1)
  })
})
