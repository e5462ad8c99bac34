import { expect } from 'chai'
import { type Attempts, addMiss, attemptCaps, noAttempts } from '../../lib/domain/attempts.js'
import type { Decision } from '../../lib/domain/decision.js'
import { authenticatorBlock } from '../../lib/domain/miss-budget.js'
import { proofRefusal } from '../../lib/domain/proof.js'
import type { ProofVerdict } from '../../lib/domain/proof-verdict.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { codeAt } from '../../lib/factors/otp/code-at.js'
import { backupCode, type Given, judge, keysWith, NO_RULES, otp } from '../support/proofs.js'
import {
  authenticatorWith,
  backupCodeSet,
  codeOf,
  DAY,
  enrolledRecord,
  HOUR,
  MINUTE,
  NOW,
  recordWith,
  SECRET,
  STEP_NOW,
  secretOf,
  wrongCode,
} from '../support/records.js'

const judgeOtp = (record: SecondStepRecord, code: string, given: Given = {}) =>
  judge(record, otp(code), given)

const judgeBackupCode = (record: SecondStepRecord, digest: string, now = NOW) =>
  judge(record, backupCode(digest), { now })

function expectNothingHappened(
  decision: Decision<ProofVerdict>,
  record: SecondStepRecord,
  answer: ProofVerdict,
): void {
  expect(decision.answer).to.deep.equal(answer)
  expect(decision.record).to.equal(record)
  expect(decision.events).to.deep.equal([])
}

function missed(count: number, at = NOW, window = 1): Attempts {
  const caps = attemptCaps(2 * window + 1)
  return Array.from({ length: count }).reduce<Attempts>(
    (attempts) => addMiss(attempts, caps, at),
    noAttempts,
  )
}

describe('a right code of the authenticator', () => {
  it('is accepted, and its step is burned with the answer', async () => {
    const record = enrolledRecord({ epoch: 7 })
    const decision = await judgeOtp(record, codeOf(STEP_NOW + 1))
    expect(decision.answer).to.deep.equal({
      kind: 'accepted',
      method: 'totp',
      epoch: 7,
    })
    expect(decision.events).to.deep.equal([{ type: 'code-accepted', method: 'totp' }])
    expect(decision.record).to.deep.equal({
      ...record,
      authenticators: [authenticatorWith({ lastStep: STEP_NOW + 1, offset: 1, lastUsedAt: NOW })],
    })
  })

  it('takes the secret along when it was sealed under an older key, and leaves it alone otherwise', async () => {
    const record = enrolledRecord()
    const secretAfter = async (given: Given) =>
      secretOf((await judgeOtp(record, codeOf(STEP_NOW), given)).record.authenticators[0])
    const stale = keysWith({
      open: async () => ({ secret: SECRET, stale: true }),
      seal: async (secret, purpose) => `${purpose} ${Buffer.from(secret).toString()} sealed anew`,
    })
    expect(await secretAfter({ keys: stale })).to.equal(
      'authenticator 12345678901234567890 sealed anew',
    )
    expect(await secretAfter({})).to.equal('sealed')
  })

  it('ends a row of misses but keeps the misses', async () => {
    // Passport hosts clear their counters at each success; a guesser beside a busy owner lives on it.
    const attempts = missed(4)
    const after = (await judgeOtp(enrolledRecord({ attempts }), codeOf(STEP_NOW))).record.attempts
    expect(after).to.deep.equal({ misses: attempts.misses, consecutive: 0 })
  })

  it('does not open the door a second time, and the replay costs nothing', async () => {
    const burned = (await judgeOtp(enrolledRecord(), codeOf(STEP_NOW))).record
    const replay: ProofVerdict = { kind: 'wrong-code', counted: false }
    expectNothingHappened(await judgeOtp(burned, codeOf(STEP_NOW)), burned, replay)
    expectNothingHappened(await judgeOtp(burned, codeOf(STEP_NOW - 1)), burned, replay)
    const later = { now: NOW + 10 * DAY }
    expectNothingHappened(await judgeOtp(burned, codeOf(STEP_NOW), later), burned, replay)
  })

  it('is nothing where no authenticator is set up', async () => {
    const record = recordWith({ backupCodes: backupCodeSet('one') })
    expectNothingHappened(await judgeOtp(record, codeOf(STEP_NOW)), record, {
      kind: 'not-enrolled',
    })
  })

  it('is judged by the parameters in the record', async () => {
    const parameters = { algorithm: 'sha512', digits: 8, period: 60 } as const
    const record = enrolledRecord({
      authenticators: [authenticatorWith({ ...parameters, lastStep: 1 })],
    })
    const code = codeAt(STEP_NOW / 2, SECRET, parameters)
    expect((await judgeOtp(record, code, { window: 0 })).answer.kind).to.equal('accepted')
    // Six digits can't be a code of this authenticator: refused before it is judged.
    const context = { ...NO_RULES, policy: { backupCodes: true, version: 1 }, pending: null }
    expect(proofRefusal(otp(codeOf(STEP_NOW)), record, context)).to.equal('malformed-request')
    expect(proofRefusal(otp(code), record, context)).to.equal(null)
  })

  it('is accepted within the window that the host chose, 0 included', async () => {
    for (const window of [0, 1, 2]) {
      const kind = async (offset: number) =>
        (await judgeOtp(enrolledRecord(), codeOf(STEP_NOW + offset), { window })).answer.kind
      expect(await kind(-window)).to.equal('accepted')
      expect(await kind(window)).to.equal('accepted')
      expect(await kind(-window - 1)).to.equal('wrong-code')
      expect(await kind(window + 1)).to.equal('wrong-code')
    }
  })
})

describe('a wrong code of the authenticator', () => {
  it('is counted with its time', async () => {
    const record = enrolledRecord()
    const decision = await judgeOtp(record, wrongCode(NOW))
    expect(decision.answer).to.deep.equal({ kind: 'wrong-code', counted: true })
    expect(decision.events).to.deep.equal([{ type: 'wrong-code', method: 'totp' }])
    expect(decision.record).to.deep.equal({
      ...record,
      attempts: { misses: [NOW], consecutive: 1 },
    })
  })

  it('blocks right and wrong codes alike from the fifth in a row, and neither is written', async () => {
    const record = enrolledRecord({ attempts: missed(5) })
    const blocked: ProofVerdict = { kind: 'blocked', until: NOW + MINUTE }
    const now = NOW + MINUTE - 1
    expectNothingHappened(await judgeOtp(record, codeOf(STEP_NOW + 1), { now }), record, blocked)
    expectNothingHappened(await judgeOtp(record, wrongCode(now), { now }), record, blocked)
    expect((await judgeOtp(record, codeOf(STEP_NOW + 2), { now: now + 1 })).answer.kind).to.equal(
      'accepted',
    )
  })

  it('announces a wait as nothing more than a wrong code', async () => {
    const decision = await judgeOtp(enrolledRecord({ attempts: missed(4) }), wrongCode(NOW))
    expect(decision.events).to.deep.equal([{ type: 'wrong-code', method: 'totp' }])
  })

  const cycle = [
    { window: 0, day: 60 },
    { window: 1, day: 20 },
    { window: 2, day: 12 },
  ]
  for (const { window, day } of cycle) {
    it(`locks the authenticator with the ${day}th of a day where the window is ${window}`, async () => {
      const attempts = { misses: missed(day - 1, NOW - HOUR, window).misses, consecutive: 0 }
      const record = enrolledRecord({ attempts })
      const decision = await judgeOtp(record, wrongCode(NOW), { window })
      expect(decision.answer).to.deep.equal({ kind: 'wrong-code', counted: true })
      const until = NOW - HOUR + DAY
      expect(decision.events).to.deep.equal([
        { type: 'wrong-code', method: 'totp' },
        { type: 'authenticator-locked', method: 'totp', detail: { until: new Date(until) } },
      ])
      const next = await judgeOtp(decision.record, codeOf(STEP_NOW), { window })
      expectNothingHappened(next, decision.record, { kind: 'blocked', until })
    })
  }

  it('forgets misses of more than 30 days ago with a right code of the time, and not with a backup code', async () => {
    // A backup code says nothing about this machine's clock, which may be far ahead.
    const old = { misses: [NOW - 30 * DAY, NOW - DAY], consecutive: 0 }
    const record = enrolledRecord({ attempts: old, backupCodes: backupCodeSet('one') })
    const right = await judgeOtp(record, codeOf(STEP_NOW))
    expect(right.answer.kind).to.equal('accepted')
    expect(right.record.attempts).to.deep.equal({ misses: [NOW - DAY], consecutive: 0 })
    const recovered = await judgeBackupCode(record, 'one')
    expect(recovered.answer.kind).to.equal('accepted')
    expect(recovered.record.attempts).to.deep.equal(old)
  })

  it('tells the wait or the lock to who asks before any code', async () => {
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
  it('is accepted once: the second time is a replay, and the replay costs nothing', async () => {
    const record = enrolledRecord({ epoch: 7 })
    const first = await judgeBackupCode(record, 'two')
    expect(first.answer).to.deep.equal({
      kind: 'accepted',
      method: 'backup-code',
      epoch: 7,
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
    const replay: ProofVerdict = { kind: 'wrong-code', counted: false }
    expectNothingHappened(
      await judgeBackupCode(first.record, 'two', NOW + DAY),
      first.record,
      replay,
    )
    expect((await judgeBackupCode(first.record, 'three')).answer.kind).to.equal('accepted')
  })

  it('is said to be one of few when three or fewer are left', async () => {
    const typesWith = async (digests: readonly string[]) => {
      const record = enrolledRecord({ backupCodes: backupCodeSet('used', ...digests) })
      return (await judgeBackupCode(record, 'used')).events.map(({ type }) => type)
    }
    expect(await typesWith(['a', 'b', 'c', 'd'])).to.deep.equal([
      'code-accepted',
      'backup-code-used',
    ])
    expect(await typesWith(['a', 'b', 'c'])).to.include('backup-codes-low')
    expect(await typesWith([])).to.include('backup-codes-low')
  })

  it('is known by its digest under any key of the ring', async () => {
    const keys = keysWith({ digests: async (code) => ['under the new key', code] })
    const decision = await judge(enrolledRecord(), backupCode('two'), { keys })
    expect(decision.answer.kind).to.equal('accepted')
  })

  it('counts as a wrong code when it is not in the set, but never on the record', async () => {
    const record = enrolledRecord()
    const wrong: ProofVerdict = { kind: 'wrong-code', counted: true }
    const tries = [
      { to: record, decision: await judgeBackupCode(record, 'four') },
      {
        to: record,
        decision: await judge(record, backupCode('four'), {
          keys: keysWith({ digests: async () => ['new', 'old'] }),
        }),
      },
    ]
    for (const { to, decision } of tries) {
      expect(decision.answer).to.deep.equal(wrong)
      expect(decision.record).to.equal(to)
      expect(decision.events).to.deep.equal([{ type: 'wrong-code', method: 'backup-code' }])
    }
  })

  it('is no guess where none could be right: none was made, all are used, or their key is gone', async () => {
    const set = backupCodeSet('one')
    const used = { ...set, codes: set.codes.map((code) => ({ ...code, usedAt: NOW })) }
    for (const backupCodes of [null, used, { ...set, keyId: 'dropped' }]) {
      const record = enrolledRecord({ backupCodes })
      const nothing = { kind: 'wrong-code', counted: false } as const
      expectNothingHappened(await judgeBackupCode(record, 'four'), record, nothing)
    }
  })

  it('is nothing where no authenticator is set up', async () => {
    const record = recordWith({ backupCodes: backupCodeSet('one') })
    expectNothingHappened(await judgeBackupCode(record, 'one'), record, { kind: 'not-enrolled' })
  })

  it('clears a wait', async () => {
    const waiting = enrolledRecord({ attempts: missed(9) })
    expect((await judgeOtp(waiting, codeOf(STEP_NOW))).answer.kind).to.equal('blocked')
    const after = (await judgeBackupCode(waiting, 'one')).record
    expect((await judgeOtp(after, codeOf(STEP_NOW))).answer.kind).to.equal('accepted')
  })

  it('works while the authenticator is locked, and does not unlock it', async () => {
    // Teleport RFD 158: a lock that also shuts the owner out of recovery serves the attacker.
    const locked = enrolledRecord({ attempts: missed(20) })
    const decision = await judgeBackupCode(locked, 'one')
    expect(decision.answer.kind).to.equal('accepted')
    expect(decision.record.attempts).to.deep.equal({
      misses: locked.attempts.misses,
      consecutive: 0,
    })
    expect((await judgeOtp(decision.record, codeOf(STEP_NOW))).answer).to.deep.equal({
      kind: 'blocked',
      until: NOW + DAY,
    })
  })

  it('is judged by no clock: it is never too old', async () => {
    const decision = await judgeBackupCode(enrolledRecord(), 'one', NOW + 3650 * DAY)
    expect(decision.answer.kind).to.equal('accepted')
  })
})
