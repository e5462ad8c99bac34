import { expect } from 'chai'
import { type Attempts, addMiss, attemptCaps, noAttempts } from '../../lib/domain/attempts.js'
import { codeAt } from '../../lib/domain/authenticator.js'
import {
  answerBackupCode,
  answerOtp,
  authenticatorBlock,
  type CodeVerdict,
} from '../../lib/domain/challenge.js'
import type { Decision } from '../../lib/domain/decision.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import {
  authenticatorWith,
  backupCodeSet,
  codeOf,
  DAY,
  deepFreeze,
  enrolledRecord,
  HOUR,
  MINUTE,
  NOW,
  recordWith,
  SECRET,
  STEP_NOW,
  wrongCode,
} from '../support/records.js'

interface Typed {
  readonly window?: number
  readonly now?: number
  readonly resealed?: string | null
}

function otp(record: SecondStepRecord, code: string, typed: Typed = {}): Decision<CodeVerdict> {
  const { window = 1, now = NOW, resealed = null } = typed
  return deepFreeze(answerOtp(record, { code, secret: SECRET, window, resealed }, now))
}

function backupCode(
  record: SecondStepRecord,
  digests: readonly string[],
  now = NOW,
): Decision<CodeVerdict> {
  return deepFreeze(answerBackupCode(record, deepFreeze({ digests }), now))
}

function expectNothingHappened(
  decision: Decision<CodeVerdict>,
  record: SecondStepRecord,
  answer: CodeVerdict,
): void {
  expect(decision.answer).to.deep.equal(answer)
  expect(decision.record).to.equal(record)
  expect(decision.events).to.deep.equal([])
}

function missed(count: number, at = NOW, window = 1): Attempts {
  const caps = attemptCaps(window)
  return Array.from({ length: count }).reduce<Attempts>(
    (attempts) => addMiss(attempts, caps, at),
    noAttempts,
  )
}

describe('a right code of the authenticator', () => {
  it('is accepted, and its step is burned with the answer', () => {
    const record = enrolledRecord({ epoch: 7 })
    const decision = otp(record, codeOf(STEP_NOW + 1))
    expect(decision.answer).to.deep.equal({
      kind: 'accepted',
      method: 'totp',
      epoch: 7,
      backupCodesLeft: 3,
      seenByAdmin: false,
    })
    expect(decision.events).to.deep.equal([{ type: 'code-accepted', method: 'totp' }])
    expect(decision.record).to.deep.equal({
      ...record,
      authenticator: { ...record.authenticator, lastStep: STEP_NOW + 1 },
    })
  })

  it('tells that no backup codes are left where there never were any', () => {
    const answer = otp(enrolledRecord({ backupCodes: null }), codeOf(STEP_NOW)).answer
    expect(answer).to.include({ kind: 'accepted', backupCodesLeft: 0 })
  })

  it('takes the secret along when it was sealed anew, and leaves it alone otherwise', () => {
    const record = enrolledRecord()
    const resealed = otp(record, codeOf(STEP_NOW), { resealed: 'sealed anew' }).record
    expect(resealed.authenticator?.secret).to.equal('sealed anew')
    expect(otp(record, codeOf(STEP_NOW)).record.authenticator?.secret).to.equal('sealed')
  })

  it('ends a row of misses but keeps the misses', () => {
    // Passport hosts clear their counters at each success; a guesser beside a busy owner lives on it.
    const attempts = missed(4)
    const after = otp(enrolledRecord({ attempts }), codeOf(STEP_NOW)).record.attempts
    expect(after).to.deep.equal({ misses: attempts.misses, consecutive: 0 })
  })

  it('does not open the door a second time, and the replay costs nothing', () => {
    const burned = otp(enrolledRecord(), codeOf(STEP_NOW)).record
    const replay: CodeVerdict = { kind: 'wrong-code', counted: false }
    expectNothingHappened(otp(burned, codeOf(STEP_NOW)), burned, replay)
    expectNothingHappened(otp(burned, codeOf(STEP_NOW - 1)), burned, replay)
    const later = { now: NOW + 10 * DAY }
    expectNothingHappened(otp(burned, codeOf(STEP_NOW), later), burned, replay)
  })

  it('is nothing where no authenticator is set up', () => {
    const record = recordWith({ backupCodes: backupCodeSet('one') })
    expectNothingHappened(otp(record, codeOf(STEP_NOW)), record, { kind: 'not-enrolled' })
  })

  it('is judged by the parameters in the record', () => {
    const parameters = { algorithm: 'sha512', digits: 8, period: 60 } as const
    const record = enrolledRecord({
      authenticator: authenticatorWith({ ...parameters, lastStep: 1 }),
    })
    const code = codeAt(STEP_NOW / 2, SECRET, parameters)
    expect(otp(record, code, { window: 0 }).answer.kind).to.equal('accepted')
    expect(otp(record, codeOf(STEP_NOW)).answer.kind).to.equal('wrong-code')
  })

  it('is accepted within the window that the host chose, 0 included', () => {
    for (const window of [0, 1, 2]) {
      const kind = (offset: number) =>
        otp(enrolledRecord(), codeOf(STEP_NOW + offset), { window }).answer.kind
      expect(kind(-window)).to.equal('accepted')
      expect(kind(window)).to.equal('accepted')
      expect(kind(-window - 1)).to.equal('wrong-code')
      expect(kind(window + 1)).to.equal('wrong-code')
    }
  })
})

describe('a wrong code of the authenticator', () => {
  it('is counted with its time', () => {
    const record = enrolledRecord()
    const decision = otp(record, wrongCode(NOW))
    expect(decision.answer).to.deep.equal({ kind: 'wrong-code', counted: true })
    expect(decision.events).to.deep.equal([{ type: 'wrong-code', method: 'totp' }])
    expect(decision.record).to.deep.equal({
      ...record,
      attempts: { misses: [NOW], consecutive: 1 },
    })
  })

  it('blocks right and wrong codes alike from the fifth in a row, and neither is written', () => {
    const record = enrolledRecord({ attempts: missed(5) })
    const blocked: CodeVerdict = { kind: 'blocked', until: NOW + MINUTE }
    const now = NOW + MINUTE - 1
    expectNothingHappened(otp(record, codeOf(STEP_NOW + 1), { now }), record, blocked)
    expectNothingHappened(otp(record, wrongCode(now), { now }), record, blocked)
    expect(otp(record, codeOf(STEP_NOW + 2), { now: now + 1 }).answer.kind).to.equal('accepted')
  })

  it('announces a wait as nothing more than a wrong code', () => {
    const decision = otp(enrolledRecord({ attempts: missed(4) }), wrongCode(NOW))
    expect(decision.events).to.deep.equal([{ type: 'wrong-code', method: 'totp' }])
  })

  const cycle = [
    { window: 0, day: 60 },
    { window: 1, day: 20 },
    { window: 2, day: 12 },
  ]
  for (const { window, day } of cycle) {
    it(`locks the authenticator with the ${day}th of a day where the window is ${window}`, () => {
      const attempts = { misses: missed(day - 1, NOW - HOUR, window).misses, consecutive: 0 }
      const record = enrolledRecord({ attempts })
      const decision = otp(record, wrongCode(NOW), { window })
      expect(decision.answer).to.deep.equal({ kind: 'wrong-code', counted: true })
      const until = NOW - HOUR + DAY
      expect(decision.events).to.deep.equal([
        { type: 'wrong-code', method: 'totp' },
        { type: 'authenticator-locked', method: 'totp', detail: { until: new Date(until) } },
      ])
      const next = otp(decision.record, codeOf(STEP_NOW), { window })
      expectNothingHappened(next, decision.record, { kind: 'blocked', until })
    })
  }

  it('tells the wait or the lock to who asks before any code', () => {
    expect(authenticatorBlock(enrolledRecord(), 1, NOW)).to.equal(null)
    const waiting = enrolledRecord({ attempts: missed(5) })
    expect(authenticatorBlock(waiting, 1, NOW)).to.deep.equal({
      until: NOW + MINUTE,
      locked: false,
    })
    const twelve = enrolledRecord({ attempts: { ...missed(12), consecutive: 0 } })
    expect(authenticatorBlock(twelve, 1, NOW)).to.equal(null)
    expect(authenticatorBlock(twelve, 2, NOW)).to.deep.equal({ until: NOW + DAY, locked: true })
  })
})

describe('a backup code', () => {
  it('is accepted once: the second time is a replay, and the replay costs nothing', () => {
    const record = enrolledRecord({ epoch: 7 })
    const first = backupCode(record, ['two'])
    expect(first.answer).to.deep.equal({
      kind: 'accepted',
      method: 'backup-code',
      epoch: 7,
      backupCodesLeft: 2,
      seenByAdmin: false,
    })
    const told = { method: 'backup-code', detail: { backupCodesLeft: 2 } }
    expect(first.events).to.deep.equal([
      { type: 'code-accepted', method: 'backup-code' },
      { type: 'backup-code-used', ...told },
      { type: 'backup-codes-low', ...told },
    ])
    expect(first.record).to.deep.equal({
      ...record,
      backupCodes: {
        ...record.backupCodes,
        codes: [
          { digest: 'one', usedAt: null },
          { digest: 'two', usedAt: NOW },
          { digest: 'three', usedAt: null },
        ],
      },
    })
    const replay: CodeVerdict = { kind: 'wrong-code', counted: false }
    expectNothingHappened(backupCode(first.record, ['two'], NOW + DAY), first.record, replay)
    expect(backupCode(first.record, ['three']).answer).to.include({ backupCodesLeft: 1 })
  })

  it('is said to be one of few when three or fewer are left', () => {
    const typesWith = (digests: readonly string[]) => {
      const record = enrolledRecord({ backupCodes: backupCodeSet('used', ...digests) })
      return backupCode(record, ['used']).events.map(({ type }) => type)
    }
    expect(typesWith(['a', 'b', 'c', 'd'])).to.deep.equal(['code-accepted', 'backup-code-used'])
    expect(typesWith(['a', 'b', 'c'])).to.include('backup-codes-low')
    expect(typesWith([])).to.include('backup-codes-low')
  })

  it('is known by its digest under any key of the ring', () => {
    const decision = backupCode(enrolledRecord(), ['under the new key', 'two'])
    expect(decision.answer.kind).to.equal('accepted')
  })

  it('counts as a wrong code when it is not in the set, but never on the record', () => {
    const record = enrolledRecord()
    const wrong: CodeVerdict = { kind: 'wrong-code', counted: true }
    const without = enrolledRecord({ backupCodes: null })
    const tries = [
      { to: record, decision: backupCode(record, ['four']) },
      { to: record, decision: backupCode(record, []) },
      { to: without, decision: backupCode(without, ['one']) },
    ]
    for (const { to, decision } of tries) {
      expect(decision.answer).to.deep.equal(wrong)
      expect(decision.record).to.equal(to)
      expect(decision.events).to.deep.equal([{ type: 'wrong-code', method: 'backup-code' }])
    }
  })

  it('is nothing where no authenticator is set up', () => {
    const record = recordWith({ backupCodes: backupCodeSet('one') })
    expectNothingHappened(backupCode(record, ['one']), record, { kind: 'not-enrolled' })
  })

  it('clears a wait', () => {
    const waiting = enrolledRecord({ attempts: missed(9) })
    expect(otp(waiting, codeOf(STEP_NOW)).answer.kind).to.equal('blocked')
    const after = backupCode(waiting, ['one']).record
    expect(otp(after, codeOf(STEP_NOW)).answer.kind).to.equal('accepted')
  })

  it('works while the authenticator is locked, and does not unlock it', () => {
    // Teleport RFD 158: a lock that also shuts the owner out of recovery serves the attacker.
    const locked = enrolledRecord({ attempts: missed(20) })
    const decision = backupCode(locked, ['one'])
    expect(decision.answer.kind).to.equal('accepted')
    expect(decision.record.attempts).to.deep.equal({
      misses: locked.attempts.misses,
      consecutive: 0,
    })
    expect(otp(decision.record, codeOf(STEP_NOW)).answer).to.deep.equal({
      kind: 'blocked',
      until: NOW + DAY,
    })
  })

  it('is judged by no clock: it is never too old', () => {
    expect(backupCode(enrolledRecord(), ['one'], NOW + 3650 * DAY).answer.kind).to.equal('accepted')
  })
})
