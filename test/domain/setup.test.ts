import { expect } from 'chai'
import { addMiss, attemptCaps, noAttempts } from '../../lib/domain/attempts.js'
import type { Decision } from '../../lib/domain/decision.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import {
  beginKeyChange,
  beginSetup,
  type ConfirmSetupAnswer,
  confirmSetup,
  mayBecome,
  type SetupInProgress,
  setupExpiresAt,
  setupOf,
} from '../../lib/domain/setup.js'
import type { BackupCodeSet } from '../../lib/factors/backup-codes/kept.js'
import type { OtpParameters } from '../../lib/factors/otp/parameters.js'
import { judge, keysWith, otp } from '../support/proofs.js'
import {
  authenticatorOf,
  backupCodeSet,
  codeOf,
  deepFreeze,
  enrolledRecord,
  hotpWith,
  MINUTE,
  NOW,
  PARAMETERS,
  recordWith,
  STEP_NOW,
  wrongCode,
} from '../support/records.js'

const setup: SetupInProgress = deepFreeze({
  ...PARAMETERS,
  type: 'totp',
  owner: 'this-login',
  secret: 'sealed for set-up',
  startedAt: NOW,
  misses: 0,
  replaces: 'all',
  policy: 1,
})
const inProgress = recordWith({ setup })

const unprovenWith = (secret: string) => ({ ...PARAMETERS, type: 'totp', secret }) as const

function begin(record: SecondStepRecord, owner = 'this-login', now = NOW) {
  const command = { owner, unproven: unprovenWith(`sealed at ${now}`), policy: 1 }
  return deepFreeze(beginSetup(record, deepFreeze(command), now))
}

interface Typed {
  readonly owner?: string
  readonly now?: number
  readonly window?: number
  readonly backupCodes?: BackupCodeSet | null
  readonly name?: string | null
}

function confirm(
  record: SecondStepRecord,
  code: string,
  {
    owner = 'this-login',
    now = NOW,
    window = 1,
    backupCodes = backupCodeSet('one'),
    name = null,
  }: Typed = {},
): Promise<Decision<ConfirmSetupAnswer>> {
  const command = { owner, given: code, id: 'new', name, backupCodes }
  return confirmSetup(record, command, { now, window, keys: keysWith() }).then(deepFreeze)
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
  it('puts the new secret on the record, bound to who began it', async () => {
    const record = recordWith({ epoch: 3 })
    const decision = begin(record)
    const begun = { ...unprovenWith(`sealed at ${NOW}`), owner: 'this-login' }
    const expected = { ...begun, startedAt: NOW, misses: 0, replaces: 'all', policy: 1 } as const
    expect(decision.answer).to.deep.equal({ kind: 'in-progress', setup: expected })
    expect(decision.record).to.deep.equal({ ...record, setup: expected })
    expect(decision.events).to.deep.equal([])
  })

  it('keeps the secret for the same owner: a reload shows the same QR code', async () => {
    const later = begin(inProgress, 'this-login', NOW + 10 * MINUTE - 1)
    expectNothingHappened(later, inProgress, { kind: 'in-progress', setup })
  })

  it('makes a new secret for the same owner when the ten minutes are over', async () => {
    const now = NOW + 10 * MINUTE
    const { answer, record } = begin(inProgress, 'this-login', now)
    expect(record.setup).to.include({ secret: `sealed at ${now}`, startedAt: now, misses: 0 })
    expect(answer).to.deep.equal({ kind: 'in-progress', setup: record.setup })
  })

  it('never shows the secret to another owner, but replaces it', async () => {
    // FileRise CVE-2026-44460: a half login opened the set-up page and saw the secret in use.
    const { answer, record } = begin(inProgress, 'other-login', NOW + 1)
    expect(record.setup).to.include({ owner: 'other-login', secret: `sealed at ${NOW + 1}` })
    expect(answer).to.deep.equal({ kind: 'in-progress', setup: record.setup })
    expect(setupOf(record, 'this-login', NOW + 1)).to.equal(null)
    expect((await confirm(record, codeOf(STEP_NOW), { now: NOW + 1 })).answer.kind).to.equal(
      'setup-expired',
    )
  })

  it('is refused to users who have an authenticator, so that it is not replaced', async () => {
    // better-auth #10923: calling set-up again put a new secret in place of the live one.
    const record = enrolledRecord()
    expectNothingHappened(begin(record), record, { kind: 'already-enrolled' })
  })
})

describe('a set-up that goes on with another type', () => {
  const [app, fob] = [enrolledRecord(), enrolledRecord({ authenticators: [hotpWith()] })]
  const fobsAlone = [['hotp']] as const

  it('reaches nothing that a route accepts, and that its proof might not bind', () => {
    const begun = { type: 'totp', replaces: 'none' } as const
    expect(mayBecome(begun, 'hotp', fob, fobsAlone)).to.equal(false)
    expect(mayBecome(begun, 'webauthn', fob, fobsAlone)).to.equal(true)
  })

  it('binds the first that a route accepts by what its user has', () => {
    const begun = { type: 'totp', replaces: 'none' } as const
    expect(mayBecome(begun, 'hotp', app, fobsAlone)).to.equal(true)
  })

  it('may come back to the type of what it replaces', () => {
    const begun = { type: 'totp', replaces: { id: hotpWith().id } } as const
    expect(mayBecome(begun, 'hotp', fob, fobsAlone)).to.equal(true)
  })
})

describe('the set-up that an owner may see', () => {
  it('belongs to its owner alone, for ten minutes to the millisecond', async () => {
    expect(setupExpiresAt(setup)).to.equal(NOW + 10 * MINUTE)
    expect(setupOf(inProgress, 'this-login', NOW)).to.equal(setup)
    expect(setupOf(inProgress, 'this-login', NOW + 10 * MINUTE - 1)).to.equal(setup)
    expect(setupOf(inProgress, 'this-login', NOW + 10 * MINUTE)).to.equal(null)
  })

  it("is not somebody else's, and none where none was begun", async () => {
    expect(setupOf(inProgress, 'other-login', NOW)).to.equal(null)
    expect(setupOf(inProgress, '', NOW)).to.equal(null)
    expect(setupOf(recordWith(), 'this-login', NOW)).to.equal(null)
  })
})

describe('confirming a set-up', () => {
  it('binds the authenticator, with the backup codes, and ends all other sessions', async () => {
    const attempts = addMiss(noAttempts, attemptCaps(3), NOW - MINUTE)
    const ended = [{ id: 'an-old-stamp', version: 3 }]
    const record = recordWith({ epoch: 4, version: 6, setup, attempts, ended })
    const backupCodes = backupCodeSet('one', 'two')
    const decision = await confirm(record, codeOf(STEP_NOW - 1), { backupCodes })
    expect(decision.answer).to.deep.equal({
      kind: 'enrolled',
      method: 'totp',
      epoch: 5,
      version: 6,
      backupCodesLeft: 2,
    })
    expect(decision.events).to.deep.equal([{ type: 'enrolled', method: 'totp' }])
    expect(decision.record).to.deep.equal({
      ...record,
      epoch: 5,
      authenticators: [
        {
          ...PARAMETERS,
          id: 'new',
          type: 'totp',
          name: null,
          secret: 'sealed for its live use',
          lastStep: STEP_NOW - 1,
          since: NOW,
          lastUsedAt: NOW,
          serial: null,
          offset: -1,
        },
      ],
      setup: null,
      backupCodes,
      attempts: { misses: [], consecutive: 0 },
      ended: [],
    })
  })

  it('takes the parameters that were shown', async () => {
    const shown: OtpParameters = { algorithm: 'sha1', digits: 6, period: 60 }
    const record = recordWith({ setup: { ...setup, ...shown } })
    const { authenticators } = (await confirm(record, codeOf(STEP_NOW / 2), { window: 0 })).record
    expect(authenticators[0]).to.deep.include({ ...shown, lastStep: STEP_NOW / 2 })
  })

  it('makes no backup codes where the policy has none', async () => {
    const decision = await confirm(inProgress, codeOf(STEP_NOW), { backupCodes: null })
    expect(decision.answer).to.deep.include({ kind: 'enrolled', epoch: 1, backupCodesLeft: 0 })
    expect(decision.record.backupCodes).to.equal(null)
  })

  it('burns the step of its code: the same code does not sign in', async () => {
    // hanko #2723: the code that confirmed the set-up was good for a login too.
    const { record } = await confirm(inProgress, codeOf(STEP_NOW + 1))
    for (const step of [STEP_NOW, STEP_NOW + 1]) {
      const verdict = await judge(record, otp(codeOf(step)))
      expect(verdict.answer).to.deep.equal({ kind: 'wrong-code', counted: false })
    }
  })

  it('knows no step as burned before the first code, not even the first of 1970', async () => {
    const record = recordWith({ setup: { ...setup, startedAt: 0 } })
    expect(
      authenticatorOf((await confirm(record, codeOf(0), { now: 0 })).record)?.lastStep,
    ).to.equal(0)
  })

  // The visitor holds the key, so a code that is a minute off gives nothing away.
  it('accepts the codes of a clock that is up to two steps off, whatever the window', async () => {
    for (const window of [0, 1, 2]) {
      const kind = async (offset: number) => {
        return (await confirm(inProgress, codeOf(STEP_NOW + offset), { window })).answer.kind
      }
      for (const offset of [-2, 2]) expect(await kind(offset)).to.equal('enrolled')
      for (const offset of [-3, 3]) expect(await kind(offset)).to.equal('wrong-code')
    }
  })

  it('is possible until the last millisecond of its ten minutes', async () => {
    const end = NOW + 10 * MINUTE
    const code = codeOf(STEP_NOW + 20)
    expect((await confirm(inProgress, code, { now: end - 1 })).answer.kind).to.equal('enrolled')
    expectNothingHappened(await confirm(inProgress, code, { now: end }), inProgress, {
      kind: 'setup-expired',
    })
  })

  it('is not possible for another owner, nor where nothing was begun', async () => {
    const code = codeOf(STEP_NOW)
    const other = await confirm(inProgress, code, { owner: 'other-login' })
    expectNothingHappened(other, inProgress, { kind: 'setup-expired' })
    const record = recordWith()
    expectNothingHappened(await confirm(record, code), record, { kind: 'setup-expired' })
  })

  it('takes back that the user must set up', async () => {
    const record = recordWith({ setup, mustSetUp: { until: NOW + MINUTE } })
    expect((await confirm(record, codeOf(STEP_NOW))).record.mustSetUp).to.equal(null)
  })
})

describe('a change of key', () => {
  const command = {
    owner: 'this-stamp',
    unproven: unprovenWith('sealed for set-up'),
    replaces: { id: 'first' },
    policy: 1,
  }
  const enrolled = enrolledRecord({ epoch: 2 })
  const begun = deepFreeze(beginKeyChange(enrolled, command, NOW))

  it('begins beside the live authenticator, which stays as it is', async () => {
    const inProgress = { ...setup, owner: 'this-stamp', replaces: { id: 'first' } }
    expect(begun.answer).to.deep.equal(inProgress)
    expect(begun.record).to.deep.equal({ ...enrolled, setup: inProgress })
    expect(begun.events).to.deep.equal([])
    const live = await judge(begun.record, otp(codeOf(STEP_NOW)))
    expect(live.answer.kind).to.equal('accepted')
  })

  it('begins again with another secret, also if the user has begun one', async () => {
    const another = { ...command, unproven: unprovenWith('another') }
    const again = beginKeyChange(begun.record, another, NOW + 1)
    expect(again.record.setup).to.include({ secret: 'another', startedAt: NOW + 1, misses: 0 })
  })

  it('is shown again to the login that began it, and to no other', async () => {
    const { answer, record } = begin(begun.record, 'this-stamp', NOW + MINUTE)
    expect(answer).to.deep.equal({ kind: 'in-progress', setup: begun.answer })
    expect(record).to.equal(begun.record)
    const other = begin(begun.record, 'other-stamp', NOW + MINUTE)
    expectNothingHappened(other, begun.record, { kind: 'already-enrolled' })
  })

  it('ends with the new authenticator alone, new backup codes, and no other session', async () => {
    const backupCodes = backupCodeSet('new')
    const code = codeOf(STEP_NOW)
    const decision = await confirm(begun.record, code, { owner: 'this-stamp', backupCodes })
    expect(decision.answer).to.deep.include({ kind: 'enrolled', epoch: 3, backupCodesLeft: 1 })
    expect(decision.events).to.deep.equal([{ type: 'key-changed', method: 'totp' }])
    expect(decision.record).to.deep.include({ epoch: 3, setup: null, backupCodes, ended: [] })
    expect(decision.record.authenticators).to.have.length(1)
    expect(decision.record.authenticators[0]).to.deep.include({
      id: 'new',
      secret: 'sealed for its live use',
      lastStep: STEP_NOW,
      since: NOW,
    })
  })

  it('is not confirmed by another session, nor by one that began none', async () => {
    // FileRise CVE-2026-44460: a second login saw and confirmed what the first had begun.
    const other = await confirm(begun.record, codeOf(STEP_NOW), { owner: 'other-stamp' })
    expectNothingHappened(other, begun.record, { kind: 'already-enrolled' })
    expectNothingHappened(await confirm(enrolled, codeOf(STEP_NOW)), enrolled, {
      kind: 'already-enrolled',
    })
  })

  it('is over after ten minutes: the live authenticator stays', async () => {
    const now = NOW + 10 * MINUTE
    const code = codeOf(STEP_NOW + 20)
    const late = await confirm(begun.record, code, { owner: 'this-stamp', now })
    expectNothingHappened(late, begun.record, { kind: 'already-enrolled' })
  })

  it('ends after ten wrong codes without a trace on the live authenticator', async () => {
    let { record } = begun
    for (let miss = 0; miss < 10; miss += 1) {
      record = (await confirm(record, wrongCode(NOW), { owner: 'this-stamp' })).record
    }
    expect(record).to.deep.equal(enrolled)
  })
})

describe('a wrong code at a set-up', () => {
  it('is counted on the set-up, keeps its secret, and leaves the account alone', async () => {
    const decision = await confirm(inProgress, wrongCode(NOW))
    expect(decision.answer).to.deep.equal({ kind: 'wrong-code', clockOff: null })
    expect(decision.events).to.deep.equal([{ type: 'wrong-code', method: 'totp' }])
    expect(decision.record).to.deep.equal({ ...inProgress, setup: { ...setup, misses: 1 } })
  })

  it('ends the set-up at the tenth', async () => {
    let record = inProgress
    for (let misses = 1; misses <= 10; misses += 1) {
      const decision = await confirm(record, wrongCode(NOW))
      expect(decision.answer, `miss ${misses}`).to.deep.equal({
        kind: 'wrong-code',
        clockOff: null,
      })
      record = decision.record
      expect(record.setup?.misses ?? 'ended').to.equal(misses < 10 ? misses : 'ended')
    }
    expectNothingHappened(await confirm(record, codeOf(STEP_NOW)), record, {
      kind: 'setup-expired',
    })
    expect(begin(record, 'this-login', NOW + 1).record.setup).to.include({ startedAt: NOW + 1 })
  })

  it('does not end it at the ninth', async () => {
    const record = recordWith({ setup: { ...setup, misses: 9 } })
    expect((await confirm(record, codeOf(STEP_NOW))).answer.kind).to.equal('enrolled')
  })

  it('tells how far the device’s clock is off, in seconds, up to ten minutes', async () => {
    const clockOff = async (offset: number, window = 1) => {
      const { answer } = await confirm(inProgress, codeOf(STEP_NOW + offset), { window })
      return answer.kind === 'wrong-code' ? answer.clockOff : answer.kind
    }
    expect(await clockOff(-6)).to.equal(-180)
    expect(await clockOff(3, 0)).to.equal(90)
    expect(await Promise.all([-20, 20].map((offset) => clockOff(offset)))).to.deep.equal([
      -600, 600,
    ])
    expect(await Promise.all([-21, 21].map((offset) => clockOff(offset)))).to.deep.equal([
      null,
      null,
    ])
  })

  it('tells it by the period of the authenticator', async () => {
    const record = recordWith({ setup: { ...setup, period: 60 } })
    const decision = await confirm(record, codeOf(STEP_NOW / 2 - 3))
    expect(decision.answer).to.deep.equal({ kind: 'wrong-code', clockOff: -180 })
  })
})
