import { expect } from 'chai'
import { addMiss, attemptCaps, noAttempts } from '../../lib/domain/attempts.js'
import type { BackupCodeSet } from '../../lib/domain/backup-codes.js'
import { answerOtp } from '../../lib/domain/challenge.js'
import type { Decision } from '../../lib/domain/decision.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import {
  beginKeyChange,
  beginSetup,
  type ConfirmSetupAnswer,
  confirmSetup,
  type SetupInProgress,
  setupExpiresAt,
  setupOf,
} from '../../lib/domain/setup.js'
import {
  backupCodeSet,
  codeOf,
  deepFreeze,
  enrolledRecord,
  MINUTE,
  NOW,
  PARAMETERS,
  recordWith,
  SECRET,
  STEP_NOW,
  wrongCode,
} from '../support/records.js'

const setup: SetupInProgress = deepFreeze({
  ...PARAMETERS,
  owner: 'this-login',
  secret: 'sealed for set-up',
  startedAt: NOW,
  misses: 0,
})
const inProgress = recordWith({ setup })

function begin(record: SecondStepRecord, owner = 'this-login', now = NOW) {
  const command = { owner, secret: `sealed at ${now}`, parameters: PARAMETERS }
  return deepFreeze(beginSetup(record, deepFreeze(command), now))
}

interface Typed {
  readonly owner?: string
  readonly now?: number
  readonly window?: number
  readonly backupCodes?: BackupCodeSet | null
}

function confirm(
  record: SecondStepRecord,
  code: string,
  { owner = 'this-login', now = NOW, window = 1, backupCodes = backupCodeSet('one') }: Typed = {},
): Decision<ConfirmSetupAnswer> {
  const liveSecret = 'sealed for its live use'
  const command = { owner, code, secret: SECRET, liveSecret, backupCodes, window }
  return deepFreeze(confirmSetup(record, command, now))
}

function expectNothingHappened<Answer>(
  decision: Decision<Answer>,
  record: SecondStepRecord,
  answer: Answer,
): void {
  expect(decision).to.deep.equal({ record, answer, events: [] })
  expect(decision.record).to.equal(record)
}

describe('beginning a set-up', () => {
  it('puts the new secret on the record, bound to who began it', () => {
    const record = recordWith({ epoch: 3 })
    const decision = begin(record)
    const begun = { ...PARAMETERS, owner: 'this-login', secret: `sealed at ${NOW}` }
    const expected = { ...begun, startedAt: NOW, misses: 0 }
    expect(decision.answer).to.deep.equal({ kind: 'in-progress', setup: expected })
    expect(decision.record).to.deep.equal({ ...record, setup: expected })
    expect(decision.events).to.deep.equal([])
  })

  it('keeps the secret for the same owner: a reload shows the same QR code', () => {
    const later = begin(inProgress, 'this-login', NOW + 10 * MINUTE - 1)
    expectNothingHappened(later, inProgress, { kind: 'in-progress', setup })
  })

  it('makes a new secret for the same owner when the ten minutes are over', () => {
    const now = NOW + 10 * MINUTE
    const { answer, record } = begin(inProgress, 'this-login', now)
    expect(record.setup).to.include({ secret: `sealed at ${now}`, startedAt: now, misses: 0 })
    expect(answer).to.deep.equal({ kind: 'in-progress', setup: record.setup })
  })

  it('never shows the secret to another owner, but replaces it', () => {
    // FileRise CVE-2026-44460: a half login opened the set-up page and saw the secret in use.
    const { answer, record } = begin(inProgress, 'other-login', NOW + 1)
    expect(record.setup).to.include({ owner: 'other-login', secret: `sealed at ${NOW + 1}` })
    expect(answer).to.deep.equal({ kind: 'in-progress', setup: record.setup })
    expect(setupOf(record, 'this-login', NOW + 1)).to.equal(null)
    expect(confirm(record, codeOf(STEP_NOW), { now: NOW + 1 }).answer.kind).to.equal(
      'setup-expired',
    )
  })

  it('is refused to who has an authenticator: the live one is not replaced', () => {
    // better-auth #10923: calling set-up again put a new secret in place of the live one.
    const record = enrolledRecord()
    expectNothingHappened(begin(record), record, { kind: 'already-enrolled' })
  })
})

describe('the set-up that an owner may see', () => {
  it('is his own, for ten minutes to the millisecond', () => {
    expect(setupExpiresAt(setup)).to.equal(NOW + 10 * MINUTE)
    expect(setupOf(inProgress, 'this-login', NOW)).to.equal(setup)
    expect(setupOf(inProgress, 'this-login', NOW + 10 * MINUTE - 1)).to.equal(setup)
    expect(setupOf(inProgress, 'this-login', NOW + 10 * MINUTE)).to.equal(null)
  })

  it("is not somebody else's, and none where none was begun", () => {
    expect(setupOf(inProgress, 'other-login', NOW)).to.equal(null)
    expect(setupOf(inProgress, '', NOW)).to.equal(null)
    expect(setupOf(recordWith(), 'this-login', NOW)).to.equal(null)
  })
})

describe('confirming a set-up', () => {
  it('binds the authenticator, with the backup codes, and ends all other sessions', () => {
    const attempts = addMiss(noAttempts, attemptCaps(1), NOW - MINUTE)
    const ended = [{ id: 'an-old-stamp', at: NOW - MINUTE }]
    const record = recordWith({ epoch: 4, version: 6, setup, attempts, ended })
    const backupCodes = backupCodeSet('one', 'two')
    const decision = confirm(record, codeOf(STEP_NOW - 1), { backupCodes })
    expect(decision.answer).to.deep.equal({ kind: 'enrolled', epoch: 5, backupCodesLeft: 2 })
    expect(decision.events).to.deep.equal([{ type: 'enrolled', method: 'totp' }])
    expect(decision.record).to.deep.equal({
      ...record,
      epoch: 5,
      authenticator: {
        ...PARAMETERS,
        type: 'totp',
        secret: 'sealed for its live use',
        lastStep: STEP_NOW - 1,
        since: NOW,
      },
      setup: null,
      backupCodes,
      attempts: { misses: [], consecutive: 0 },
      ended: [],
    })
  })

  it('takes the parameters that were shown', () => {
    const shown = { algorithm: 'sha1', digits: 6, period: 60 } as const
    const record = recordWith({ setup: { ...setup, ...shown } })
    const { authenticator } = confirm(record, codeOf(STEP_NOW / 2), { window: 0 }).record
    expect(authenticator).to.deep.include({ ...shown, lastStep: STEP_NOW / 2 })
  })

  it('makes no backup codes where the policy has none', () => {
    const decision = confirm(inProgress, codeOf(STEP_NOW), { backupCodes: null })
    expect(decision.answer).to.deep.equal({ kind: 'enrolled', epoch: 1, backupCodesLeft: 0 })
    expect(decision.record.backupCodes).to.equal(null)
  })

  it('burns the step of its code: the same code does not sign in', () => {
    // hanko #2723: the code that confirmed the set-up was good for a login too.
    const { record } = confirm(inProgress, codeOf(STEP_NOW + 1))
    for (const step of [STEP_NOW, STEP_NOW + 1]) {
      const command = { code: codeOf(step), secret: SECRET, window: 1, resealed: null }
      const verdict = answerOtp(record, command, NOW)
      expect(verdict.answer).to.deep.equal({ kind: 'wrong-code', counted: false })
    }
  })

  it('knows no step as burned before the first code, not even the first of 1970', () => {
    const record = recordWith({ setup: { ...setup, startedAt: 0 } })
    expect(confirm(record, codeOf(0), { now: 0 }).record.authenticator?.lastStep).to.equal(0)
  })

  it('accepts the codes of the window alone', () => {
    for (const window of [0, 1, 2]) {
      const kind = (offset: number) => {
        return confirm(inProgress, codeOf(STEP_NOW + offset), { window }).answer.kind
      }
      expect(kind(-window)).to.equal('enrolled')
      expect(kind(window)).to.equal('enrolled')
      expect(kind(-window - 1)).to.equal('wrong-code')
      expect(kind(window + 1)).to.equal('wrong-code')
    }
  })

  it('is possible until the last millisecond of its ten minutes', () => {
    const end = NOW + 10 * MINUTE
    const code = codeOf(STEP_NOW + 20)
    expect(confirm(inProgress, code, { now: end - 1 }).answer.kind).to.equal('enrolled')
    expectNothingHappened(confirm(inProgress, code, { now: end }), inProgress, {
      kind: 'setup-expired',
    })
  })

  it('is not possible for another owner, nor where nothing was begun', () => {
    const code = codeOf(STEP_NOW)
    const other = confirm(inProgress, code, { owner: 'other-login' })
    expectNothingHappened(other, inProgress, { kind: 'setup-expired' })
    const record = recordWith()
    expectNothingHappened(confirm(record, code), record, { kind: 'setup-expired' })
  })

  it('takes back that the user must set up', () => {
    const record = recordWith({ setup, mustSetUp: { until: NOW + MINUTE } })
    expect(confirm(record, codeOf(STEP_NOW)).record.mustSetUp).to.equal(null)
  })
})

describe('a change of key', () => {
  const command = { owner: 'this-stamp', secret: 'sealed for set-up', parameters: PARAMETERS }
  const enrolled = enrolledRecord({ epoch: 2 })
  const begun = deepFreeze(beginKeyChange(enrolled, command, NOW))

  it('begins beside the live authenticator, which stays as it is', () => {
    const inProgress = { ...setup, owner: 'this-stamp' }
    expect(begun.answer).to.deep.equal(inProgress)
    expect(begun.record).to.deep.equal({ ...enrolled, setup: inProgress })
    expect(begun.events).to.deep.equal([])
    const live = { code: codeOf(STEP_NOW), secret: SECRET, window: 1, resealed: null }
    expect(answerOtp(begun.record, live, NOW).answer.kind).to.equal('accepted')
  })

  it('begins anew with another secret, also for who has begun one', () => {
    const again = beginKeyChange(begun.record, { ...command, secret: 'another' }, NOW + 1)
    expect(again.record.setup).to.include({ secret: 'another', startedAt: NOW + 1, misses: 0 })
  })

  it('is shown again to who has begun it, and to nobody else', () => {
    const { answer, record } = begin(begun.record, 'this-stamp', NOW + MINUTE)
    expect(answer).to.deep.equal({ kind: 'in-progress', setup: begun.answer })
    expect(record).to.equal(begun.record)
    const other = begin(begun.record, 'other-stamp', NOW + MINUTE)
    expectNothingHappened(other, begun.record, { kind: 'already-enrolled' })
  })

  it('ends with the new authenticator alone, new backup codes, and no other session', () => {
    const backupCodes = backupCodeSet('new')
    const code = codeOf(STEP_NOW)
    const decision = confirm(begun.record, code, { owner: 'this-stamp', backupCodes })
    expect(decision.answer).to.deep.equal({ kind: 'enrolled', epoch: 3, backupCodesLeft: 1 })
    expect(decision.events).to.deep.equal([{ type: 'key-changed', method: 'totp' }])
    expect(decision.record).to.deep.include({ epoch: 3, setup: null, backupCodes, ended: [] })
    expect(decision.record.authenticator).to.deep.include({
      secret: 'sealed for its live use',
      lastStep: STEP_NOW,
      since: NOW,
    })
  })

  it('is not confirmed by another session, nor by one that began none', () => {
    // FileRise CVE-2026-44460: a second login saw and confirmed what the first had begun.
    const other = confirm(begun.record, codeOf(STEP_NOW), { owner: 'other-stamp' })
    expectNothingHappened(other, begun.record, { kind: 'already-enrolled' })
    expectNothingHappened(confirm(enrolled, codeOf(STEP_NOW)), enrolled, {
      kind: 'already-enrolled',
    })
  })

  it('is over after ten minutes: the live authenticator stays', () => {
    const now = NOW + 10 * MINUTE
    const code = codeOf(STEP_NOW + 20)
    const late = confirm(begun.record, code, { owner: 'this-stamp', now })
    expectNothingHappened(late, begun.record, { kind: 'already-enrolled' })
  })

  it('ends after ten wrong codes without a trace on the live authenticator', () => {
    let { record } = begun
    for (let miss = 0; miss < 10; miss += 1) {
      record = confirm(record, wrongCode(NOW), { owner: 'this-stamp' }).record
    }
    expect(record).to.deep.equal(enrolled)
  })
})

describe('a wrong code at a set-up', () => {
  it('is counted on the set-up, keeps its secret, and leaves the account alone', () => {
    const decision = confirm(inProgress, wrongCode(NOW))
    expect(decision.answer).to.deep.equal({ kind: 'wrong-code', clockOff: null })
    expect(decision.events).to.deep.equal([{ type: 'wrong-code', method: 'totp' }])
    expect(decision.record).to.deep.equal({ ...inProgress, setup: { ...setup, misses: 1 } })
  })

  it('ends the set-up at the tenth', () => {
    let record = inProgress
    for (let misses = 1; misses <= 10; misses += 1) {
      const decision = confirm(record, wrongCode(NOW))
      expect(decision.answer, `miss ${misses}`).to.deep.equal({
        kind: 'wrong-code',
        clockOff: null,
      })
      record = decision.record
      expect(record.setup?.misses ?? 'ended').to.equal(misses < 10 ? misses : 'ended')
    }
    expectNothingHappened(confirm(record, codeOf(STEP_NOW)), record, { kind: 'setup-expired' })
    expect(begin(record, 'this-login', NOW + 1).record.setup).to.include({ startedAt: NOW + 1 })
  })

  it('does not end it at the ninth', () => {
    const record = recordWith({ setup: { ...setup, misses: 9 } })
    expect(confirm(record, codeOf(STEP_NOW)).answer.kind).to.equal('enrolled')
  })

  it('tells how far the device’s clock is off, in seconds, up to ten minutes', () => {
    const clockOff = (offset: number, window = 1) => {
      const { answer } = confirm(inProgress, codeOf(STEP_NOW + offset), { window })
      return answer.kind === 'wrong-code' ? answer.clockOff : answer.kind
    }
    expect(clockOff(-6)).to.equal(-180)
    expect(clockOff(2)).to.equal(60)
    expect(clockOff(1, 0)).to.equal(30)
    expect([-20, 20].map((offset) => clockOff(offset))).to.deep.equal([-600, 600])
    expect([-21, 21].map((offset) => clockOff(offset))).to.deep.equal([null, null])
  })

  it('tells it by the period of the authenticator', () => {
    const record = recordWith({ setup: { ...setup, period: 60 } })
    const decision = confirm(record, codeOf(STEP_NOW / 2 - 3))
    expect(decision.answer).to.deep.equal({ kind: 'wrong-code', clockOff: -180 })
  })
})
