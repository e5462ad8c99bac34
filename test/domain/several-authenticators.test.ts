// The attacks: a second device's code opens a door that the first one's has opened already; a lost device that
// was removed still signs in; more devices give a guesser more tries.

import { expect } from 'chai'
import { attemptCaps, blockOf, lockEnd } from '../../lib/domain/attempts.js'
import { hasNoRoom } from '../../lib/domain/authenticators.js'
import { capsOf, withAuthenticators } from '../../lib/domain/miss-budget.js'
import { removeByUser, renameByUser } from '../../lib/domain/own-authenticators.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { beginKeyChange, confirmSetup } from '../../lib/domain/setup.js'
import type { Replaced } from '../../lib/domain/setup-place.js'
import { codeAt } from '../../lib/factors/otp/code-at.js'
import { judge, keysWith, otp } from '../support/proofs.js'
import {
  authenticatorWith,
  backupCodeSet,
  codeOf,
  DAY,
  deepFreeze,
  enrolledRecord,
  hotpWith,
  NOW,
  PARAMETERS,
  SECRET,
  STEP_NOW,
  UNPROVEN,
  wrongCode,
} from '../support/records.js'

const OTHER_SECRET = Buffer.from('98765432109876543210')

/** Keys for which a sealed secret says whose it is. */
const keys = keysWith({
  open: async (sealed) => ({ secret: sealed === 'other' ? OTHER_SECRET : SECRET, stale: false }),
})
const otherCode = (step: number) => codeAt(step, OTHER_SECRET, PARAMETERS)

const phone = authenticatorWith({ id: 'phone', name: 'Phone' })
const spare = authenticatorWith({ id: 'spare', name: 'Spare', secret: 'other' })
const both = enrolledRecord({ epoch: 3, authenticators: [phone, spare] })

const lastStepsOf = ({ authenticators }: SecondStepRecord) =>
  authenticators.map((one) => (one.type === 'totp' ? one.lastStep : null))

function confirm(record: SecondStepRecord, replaces: Replaced, name: string | null, code?: string) {
  const command = { owner: 'stamp', unproven: { ...UNPROVEN, secret: 'new' }, replaces, policy: 1 }
  const begun = deepFreeze(beginKeyChange(record, command, NOW).record)
  const given = code ?? codeOf(STEP_NOW)
  const asked = { owner: 'stamp', given, id: 'new', name, backupCodes: backupCodeSet('new') }
  return confirmSetup(begun, asked, { now: NOW, window: 1, keys: keysWith() }).then(deepFreeze)
}

describe('a user with a phone and a spare', () => {
  it('signs in by either, and each burns its own codes', async () => {
    const first = await judge(both, otp(otherCode(STEP_NOW)), { keys })
    expect(first.answer.kind).to.equal('accepted')
    expect(lastStepsOf(first.record)).to.deep.equal([phone.lastStep, STEP_NOW])
    const again = await judge(first.record, otp(otherCode(STEP_NOW)), { keys })
    expect(again.answer).to.deep.equal({ kind: 'wrong-code', counted: false })
    const other = await judge(first.record, otp(codeOf(STEP_NOW)), { keys })
    expect(other.answer.kind).to.equal('accepted')
    expect(lastStepsOf(other.record)).to.deep.equal([STEP_NOW, STEP_NOW])
  })

  it('does not sign in by a burned code, though the other device has it by chance', async () => {
    const used = { lastStep: STEP_NOW, secret: 'sealed' }
    for (const order of [0, 1]) {
      const twin = [authenticatorWith({ id: 'a', ...used }), authenticatorWith({ id: 'b' })]
      const authenticators = order === 0 ? twin : twin.toReversed()
      const record = enrolledRecord({ authenticators })
      const { answer } = await judge(record, otp(codeOf(STEP_NOW)), { keys })
      expect(answer).to.deep.equal({ kind: 'wrong-code', counted: false })
    }
  })

  // The first device goes on to its next codes and forgets this one, while the other's clock, which is
  // behind, would still take it.
  it('does not sign in by it later either: it is burned in each device that has it', async () => {
    const behind = authenticatorWith({ id: 'b', offset: -2 })
    const record = enrolledRecord({ authenticators: [authenticatorWith({ id: 'a' }), behind] })
    const code = codeOf(STEP_NOW - 1)
    const first = await judge(record, otp(code), { keys })
    expect(first.answer.kind).to.equal('accepted')
    expect(lastStepsOf(first.record)).to.deep.equal([STEP_NOW - 1, STEP_NOW - 1])
    const now = NOW + 30_000
    const second = await judge(first.record, otp(codeOf(STEP_NOW + 1)), { keys, now })
    const later = { keys, now: now + 30_000 }
    const again = await judge(second.record, otp(code), later)
    expect(again.answer.kind).to.equal('wrong-code')
  })

  it('has one budget: a wrong code is one miss', async () => {
    const { record, events } = await judge(both, otp(wrongCode(NOW)), { keys })
    expect(record.attempts).to.deep.equal({ misses: [NOW], consecutive: 1 })
    expect(events).to.deep.equal([{ type: 'wrong-code', method: 'totp' }])
  })
})

describe('one more authenticator', () => {
  it('is bound beside those that are there; every other session ends', async () => {
    const { record, answer, events } = await confirm(both, 'none', 'Tablet')
    expect(answer).to.include({ kind: 'enrolled', epoch: 4 })
    expect(record.authenticators.slice(0, 2)).to.deep.equal([phone, spare])
    expect(record.authenticators[2]).to.include({ id: 'new', name: 'Tablet', lastStep: STEP_NOW })
    const detail = { name: 'Tablet', serial: null }
    expect(events).to.deep.equal([{ type: 'authenticator-added', method: 'totp', detail }])
  })

  it('does not have the name of another, and its code is not looked at then', async () => {
    const decision = await confirm(both, 'none', 'PHONE', wrongCode(NOW))
    expect(decision.answer).to.deep.equal({ kind: 'name-taken' })
    expect(decision.record.setup?.misses).to.equal(0)
  })

  it('is the fifth with codes at most', async () => {
    const many = Array.from({ length: 5 }, (_, nth) => authenticatorWith({ id: `${nth}` }))
    expect(hasNoRoom({ authenticators: many.slice(1) }, 'totp')).to.equal(false)
    expect(hasNoRoom({ authenticators: many }, 'totp')).to.equal(true)
    const full = enrolledRecord({ authenticators: many })
    expect((await confirm(full, 'none', null)).answer.kind).to.equal('setup-expired')
    expect((await confirm(full, { id: '2' }, null)).answer.kind).to.equal('enrolled')
  })
})

describe('a change of one of several keys', () => {
  it('replaces that one, which keeps its name and place', async () => {
    const { record, events } = await confirm(both, { id: 'phone' }, null)
    expect(record.authenticators[0]).to.include({ id: 'new', name: 'Phone', since: NOW })
    expect(record.authenticators[1]).to.equal(spare)
    const detail = { name: 'Phone', serial: null }
    expect(events).to.deep.equal([{ type: 'key-changed', method: 'totp', detail }])
  })

  it('may have its own name, and not that of the other', async () => {
    expect((await confirm(both, { id: 'phone' }, 'phone')).answer.kind).to.equal('enrolled')
    expect((await confirm(both, { id: 'phone' }, 'spare')).answer.kind).to.equal('name-taken')
  })

  it('is over once the one to be replaced is gone', async () => {
    expect((await confirm(both, { id: 'gone' }, null)).answer.kind).to.equal('setup-expired')
  })
})

describe('an authenticator that is removed', () => {
  it('signs in no more, and every other session ends', async () => {
    const { record, events } = deepFreeze(removeByUser(both, 'phone', { window: 1, now: NOW }))
    expect(record).to.deep.include({ epoch: 4, authenticators: [spare], setup: null })
    expect(record.backupCodes).to.equal(both.backupCodes)
    const detail = { name: 'Phone', serial: null }
    expect(events).to.deep.equal([{ type: 'authenticator-removed', method: 'totp', detail }])
    expect((await judge(record, otp(codeOf(STEP_NOW)), { keys })).answer.kind).to.equal(
      'wrong-code',
    )
  })

  it('is a second step less, if it is the last', () => {
    const last = deepFreeze(removeByUser(both, 'phone', { window: 1, now: NOW })).record
    const { record, events } = removeByUser(last, 'spare', { window: 1, now: NOW })
    expect(record).to.deep.include({ authenticators: [], backupCodes: null, epoch: 5 })
    const detail = { name: 'Spare', serial: null }
    expect(events).to.deep.equal([{ type: 'disabled', method: null, detail }])
  })

  it('is none where there is none of this id', () => {
    for (const id of ['', 'gone', '__proto__']) {
      expect(removeByUser(both, id, { window: 1, now: NOW }).record).to.equal(both)
    }
  })

  // Five devices' tries are fewer than one's. A guesser who has used them up must not get the rest of one's.
  it('gives a guesser no tries back', () => {
    const five = Array.from({ length: 5 }, (_, nth) => authenticatorWith({ id: `${nth}` }))
    const caps = capsOf({ authenticators: five }, 1, NOW)
    const misses = Array.from({ length: caps.day }, (_, nth) => NOW - DAY / 2 + nth)
    const attempts = { misses, consecutive: 4 }
    const record = enrolledRecord({ authenticators: five, attempts })
    const one = withAuthenticators(record, five.slice(0, 1), { window: 1, now: NOW })
    expect(one.attempts.misses).to.have.length(attemptCaps(3).day)
    expect(one.attempts.consecutive).to.equal(4)
    const back = withAuthenticators(one, five, { window: 1, now: NOW })
    expect(back.attempts.misses).to.deep.equal(misses)
    expect(withAuthenticators(record, five, { window: 1, now: NOW }).attempts).to.equal(attempts)
  })
})

// The attack: two guesses at a new key fob have a hundred chances each. The owner removes the fob, and the
// app's tries are all there again.
describe('a key fob that is removed', () => {
  const MONTH = 30 * DAY
  const fob = hotpWith({ serial: 'A-1', lastUsedAt: null, farMisses: [NOW - DAY / 2, NOW - 1] })
  const app = authenticatorWith({ id: 'phone' })
  const attempts = { misses: [NOW - DAY / 2, NOW - 1], consecutive: 2 }

  it('leaves of a month’s tries what its guesses had not used up, and those of today', () => {
    const record = enrolledRecord({ authenticators: [app, fob], attempts })
    const { record: left } = removeByUser(record, fob.id, { window: 1, now: NOW })
    const caps = capsOf(left, 1, NOW)
    const tries = caps.month - left.attempts.misses.length
    // Two guesses at 104 codes, and the rest of the month at three.
    expect((2 * 104 + 3 * tries) / 1e6).to.be.at.most(0.0003)
    expect(tries).to.be.above(20)
    // Each of today's two is worth more than a day's tries. Backup codes still sign in.
    expect(blockOf(left.attempts, caps, NOW)).to.deep.equal({ until: NOW - 1 + DAY, locked: true })
    const later = NOW + MONTH
    expect(lockEnd(left.attempts, caps, later)).to.equal(null)
    expect(left.attempts.consecutive).to.equal(2)
  })

  // The attack: one wrong code, four weeks before the token comes, and its guesses end with that one.
  it('keeps them for a month, however old another miss is', () => {
    const old = { misses: [NOW - 29 * DAY, ...attempts.misses], consecutive: 0 }
    const record = enrolledRecord({ authenticators: [app, fob], attempts: old })
    const { record: left } = removeByUser(record, fob.id, { window: 1, now: NOW })
    const later = NOW + 28 * DAY
    const kept = left.attempts.misses.filter((missedAt) => missedAt > later - MONTH)
    expect(3 * kept.length).to.be.at.least(2 * 104)
    expect(left.attempts.misses).to.deep.equal([...left.attempts.misses].sort((a, b) => a - b))
  })

  it('takes nothing where its guesses are a month old, or none was compared far', () => {
    for (const one of [
      { ...fob, farMisses: [] },
      { ...fob, farMisses: [0, 0] },
      { ...fob, lastUsedAt: NOW, farMisses: [NOW - MONTH, NOW - MONTH] },
    ]) {
      const record = enrolledRecord({ authenticators: [app, one], attempts })
      const { record: left } = removeByUser(record, fob.id, { window: 1, now: NOW })
      // In proportion: of fourteen codes at once to three.
      expect(left.attempts.misses).to.have.length(10)
    }
  })
})

describe('an authenticator that is renamed', () => {
  it('has another name, and no session ends', () => {
    const { record, answer, events } = renameByUser(both, 'phone', 'Work')
    expect(answer).to.equal('renamed')
    expect(record).to.deep.equal({ ...both, authenticators: [{ ...phone, name: 'Work' }, spare] })
    const detail = { name: 'Work', serial: null, before: 'Phone' }
    expect(events).to.deep.equal([{ type: 'authenticator-renamed', method: 'totp', detail }])
  })

  it('changes nothing where the name is its own already, another’s, or it is gone', () => {
    for (const [id, name, answer] of [
      ['phone', 'Phone', 'renamed'],
      ['phone', 'spare', 'name-taken'],
      ['gone', 'x', 'not-found'],
    ] as const) {
      expect(renameByUser(both, id, name)).to.deep.equal({ record: both, answer, events: [] })
    }
    expect(renameByUser(both, 'phone', 'PHONE').answer).to.equal('renamed')
  })
})
