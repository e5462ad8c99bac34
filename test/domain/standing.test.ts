import { expect } from 'chai'
import { type PendingLogin, pendingExpiresAt } from '../../lib/domain/pending-login.js'
import type { PolicyMode } from '../../lib/domain/policy.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import type { Stamp } from '../../lib/domain/stamp.js'
import {
  demandOf,
  type PendingStanding,
  pendingStandingOf,
  type Standing,
  standingOf,
} from '../../lib/domain/standing.js'
import {
  DAY,
  enrolledRecord,
  MINUTE,
  NOBODY_SPECIAL,
  NOW,
  policyWith,
  recordWith,
  USER,
  userContextWith,
} from '../support/records.js'

const ENDED = [{ id: 'ended', version: 1 }]
const records = {
  unenrolled: recordWith({ version: 5, epoch: 3, ended: ENDED }),
  enrolled: enrolledRecord({ epoch: 3, ended: ENDED }),
  'must set up': recordWith({ epoch: 3, ended: ENDED, mustSetUp: { until: NOW + 1 } }),
  'must have set up': recordWith({ epoch: 3, ended: ENDED, mustSetUp: { until: NOW } }),
}
const modes = ['off', 'optional', 'required'] as const
const columns = (Object.keys(records) as (keyof typeof records)[]).flatMap((who) =>
  modes.map((mode: PolicyMode) => ({ who, mode })),
)

const good: Stamp = {
  id: 'stamp',
  userId: USER,
  epoch: 3,
  method: 'totp',
  at: NOW,
  version: 2,
  instance: 0,
}
const stamps = {
  'by a code': good,
  'by a backup code': { ...good, method: 'backup-code' },
  'without a code': { ...good, method: 'none' },
  upstream: { ...good, method: 'upstream' },
  'upstream, older': { ...good, method: 'upstream', epoch: 2 },
  "another user's": { ...good, userId: 'bob' },
  'of an older epoch': { ...good, epoch: 2 },
  'of a newer epoch': { ...good, epoch: 4 },
  'logged out': { ...good, id: 'ended' },
  'without a code, older': { ...good, method: 'none', epoch: 2 },
  'of nobody': { ...good, userId: '' },
  'that is missing': null,
} as const satisfies Record<string, Stamp | null>

const words: Readonly<Record<string, Standing>> = {
  pass: 'passed',
  code: 'code-required',
  setup: 'setup-required',
  gone: 'revoked',
}

describe('the standing of a session with a user in it', () => {
  // Four times three: without an authenticator, with one, with a reset's time running, and over;
  // each under the policies off, optional and required.
  const table: Record<keyof typeof stamps, string> = {
    'by a code':
      /*             */ 'pass pass setup  pass pass pass  pass setup setup  pass pass pass',
    'by a backup code':
      /*      */ 'pass pass setup  pass pass pass  pass setup setup  pass pass pass',
    'without a code':
      /*        */ 'pass pass setup  pass code code  pass setup setup  pass code code',
    upstream:
      /*              */ 'pass pass pass   pass pass pass  pass setup setup  pass code code',
    'upstream, older':
      /*       */ 'gone gone gone   gone gone gone  gone gone  gone   gone gone gone',
    "another user's":
      /*        */ 'gone gone gone   gone gone gone  gone gone  gone   gone gone gone',
    'of an older epoch':
      /*     */ 'gone gone gone   gone gone gone  gone gone  gone   gone gone gone',
    'of a newer epoch':
      /*      */ 'gone gone gone   gone gone gone  gone gone  gone   gone gone gone',
    'logged out':
      /*            */ 'gone gone gone   gone gone gone  gone gone  gone   gone gone gone',
    'without a code, older':
      /* */ 'gone gone gone   gone gone gone  gone gone  gone   gone gone gone',
    'of nobody':
      /*             */ 'gone gone gone   gone gone gone  gone gone  gone   gone gone gone',
    'that is missing':
      /*       */ 'gone gone gone   gone gone gone  gone gone  gone   gone gone gone',
  }
  for (const [name, row] of Object.entries(table)) {
    it(`with a stamp ${name}: ${row.replace(/\s+/g, ' ')}`, () => {
      const stamp = stamps[name as keyof typeof stamps]
      const found = columns.map(({ who, mode }) => {
        return standingOf(USER, stamp, userContextWith(records[who], policyWith(mode)), NOW)
      })
      expect(found).to.deep.equal(row.split(/\s+/).map((word) => words[word]))
    })
  }

  it('without a stamp is older than the package while nothing was ever raised', () => {
    const unknown = recordWith()
    const enrolled = enrolledRecord({ epoch: 0 })
    const of = (record: SecondStepRecord, mode: PolicyMode) =>
      standingOf(USER, null, userContextWith(record, policyWith(mode)), NOW)
    expect(of(unknown, 'off')).to.equal('passed')
    expect(of(unknown, 'optional')).to.equal('passed')
    expect(of(unknown, 'required')).to.equal('setup-required')
    expect(of(enrolled, 'off')).to.equal('passed')
    expect(of(enrolled, 'optional')).to.equal('code-required')
    expect(of(enrolled, 'required')).to.equal('code-required')
  })

  it('is not revoked by stamps of other sessions that were logged out', () => {
    const record = enrolledRecord({ epoch: 3, ended: [...ENDED, { id: 'stam', version: 2 }] })
    expect(standingOf(USER, good, userContextWith(record, policyWith('required')), NOW)).to.equal(
      'passed',
    )
  })

  it('does not become a pending login if it began with an old password', () => {
    // A pause ends. The thief's session began with a stolen password that the owner has changed
    // since. It must not wait for a code or a reset by mail like a login with the new password.
    const none = { ...good, method: 'none' as const }
    const standing = (stamp: Stamp | null, passwordChangedAt: number, epoch = 3) => {
      const record = enrolledRecord({ epoch, passwordChangedAt })
      return standingOf(USER, stamp, userContextWith(record, policyWith('optional')), NOW)
    }
    expect(standing(none, none.at + 1)).to.equal('revoked')
    expect(standing(none, none.at)).to.equal('code-required')
    expect(standing(good, good.at + 1)).to.equal('passed')
    expect(standing(null, NOW, 0)).to.equal('revoked')
    const owes = recordWith({ epoch: 3, passwordChangedAt: none.at + 1 })
    expect(standingOf(USER, none, userContextWith(owes, policyWith('required')), NOW)).to.equal(
      'revoked',
    )
    expect(standingOf(USER, none, userContextWith(owes, policyWith('optional')), NOW)).to.equal(
      'passed',
    )
  })

  it('is found at any place of the list of ended stamps', () => {
    const list = ['one', 'stamp', 'three'].map((id) => ({ id, version: 1 }))
    const record = enrolledRecord({ epoch: 3, ended: list })
    expect(standingOf(USER, good, userContextWith(record, policyWith('off')), NOW)).to.equal(
      'revoked',
    )
  })
})

describe('the demand of record and policy', () => {
  it('is nothing, a code or a set-up', () => {
    const demands = columns.map(({ who, mode }) =>
      demandOf(userContextWith(records[who], policyWith(mode)), NOW),
    )
    expect(demands).to.deep.equal([
      ...['nothing', 'nothing', 'setup'],
      ...['nothing', 'code', 'code'],
      ...['nothing', 'setup', 'setup'],
      ...['nothing', 'code', 'code'],
    ])
  })

  it('is a set-up after a reset until its time is over, and then a code that nobody has', () => {
    const record = recordWith({ mustSetUp: { until: NOW + DAY } })
    const demand = (now: number) => demandOf(userContextWith(record, policyWith('optional')), now)
    expect(demand(NOW + DAY - 1)).to.equal('setup')
    expect(demand(NOW + DAY)).to.equal('code')
    expect(demand(NOW + 1000 * DAY)).to.equal('code')
  })

  it('is a code if the user has an authenticator, even after an earlier reset', () => {
    const record = enrolledRecord({ mustSetUp: { until: NOW + DAY } })
    expect(demandOf(userContextWith(record, policyWith('optional')), NOW)).to.equal('code')
  })
})

describe('the standing of a pending login', () => {
  const pending: PendingLogin = {
    id: 'pending',
    userId: USER,
    epoch: 3,
    at: NOW,
    next: null,
    passport: { instance: 0, user: USER },
    keepSessionInfo: false,
    locale: null,
    subject: NOBODY_SPECIAL,
    stampId: null,
    stampVersion: null,
  }
  const stands = (
    record: SecondStepRecord,
    mode: PolicyMode,
    { now = NOW, epoch = 3 } = {},
  ): PendingStanding =>
    pendingStandingOf({ ...pending, epoch }, userContextWith(record, policyWith(mode)), now)

  it('is what it waits for, or free if the user needs no second step any more', () => {
    const found = columns.map(({ who, mode }) => stands(records[who], mode))
    expect(found).to.deep.equal([
      ...['free', 'free', 'setup-required'],
      ...['free', 'code-required', 'code-required'],
      ...['free', 'setup-required', 'setup-required'],
      ...['free', 'code-required', 'code-required'],
    ])
  })

  it('is over after ten minutes, to the millisecond', () => {
    const end = NOW + 10 * MINUTE
    expect(pendingExpiresAt(pending)).to.equal(end)
    expect(stands(records.enrolled, 'optional', { now: end - 1 })).to.equal('code-required')
    expect(stands(records.enrolled, 'optional', { now: end })).to.equal('over')
    expect(stands(records.unenrolled, 'required', { now: end - 1 })).to.equal('setup-required')
    expect(stands(records.unenrolled, 'required', { now: end })).to.equal('over')
  })

  it('is over when the epoch is another one, lower or higher', () => {
    for (const epoch of [0, 2, 4]) {
      expect(stands(records.enrolled, 'optional', { epoch })).to.equal('over')
      expect(stands(records.unenrolled, 'required', { epoch })).to.equal('over')
    }
  })
})
