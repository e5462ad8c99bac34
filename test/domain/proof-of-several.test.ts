// The attack: a user has several devices, and each wrong code is counted for none of them, or for each; or a
// code that one of them has burned is right at another.

import { expect } from 'chai'
import { readProof, readResync } from '../../lib/factors/factors.js'
import { codeAt } from '../../lib/factors/otp/code-at.js'
import { judge, keysWith } from '../support/proofs.js'
import {
  authenticatorWith,
  codeOf,
  DAY,
  enrolledRecord,
  HOUR,
  hotpWith,
  NOW,
  PARAMETERS,
  SECRET,
  STEP_NOW,
  wrongCode,
} from '../support/records.js'

function typed(code: string) {
  const proof = readProof({ code })
  if (proof === null) throw new Error('it has the shape of a code')
  return proof
}

const counterCode = (counter: number) => codeAt(counter, SECRET, PARAMETERS)

describe('a code of a user with an app and a key fob', () => {
  const app = authenticatorWith()
  const fob = hotpWith({ counter: 10 })
  for (const authenticators of [
    [app, fob],
    [fob, app],
  ]) {
    const record = enrolledRecord({ authenticators })
    const order = authenticators.map(({ type }) => type).join(', ')

    it(`is right where either has it, and moves that one alone (${order})`, async () => {
      const byApp = await judge(record, typed(codeOf(STEP_NOW)))
      expect(byApp.answer).to.include({ kind: 'accepted', method: 'totp' })
      expect(byApp.record.authenticators).to.deep.include(fob)
      const byFob = await judge(record, typed(counterCode(12)))
      expect(byFob.answer).to.include({ kind: 'accepted', method: 'hotp' })
      expect(byFob.record.authenticators).to.deep.include.members([
        app,
        { ...fob, counter: 13, lastUsedAt: NOW },
      ])
    })

    it(`is one miss where neither has it (${order})`, async () => {
      const { answer, ...wrong } = await judge(record, typed(counterCode(40)))
      expect(answer).to.deep.equal({ kind: 'wrong-code', counted: true })
      expect(wrong.record.attempts).to.deep.equal({ misses: [NOW], consecutive: 1 })
      expect(wrong.events).to.have.length(1)
    })

    it(`stays used where one has burned it, though the other has the same (${order})`, async () => {
      const same = STEP_NOW - 1
      // The fob's next code is the one that the app shows now, and which was just given.
      const twins = enrolledRecord({
        authenticators: authenticators.map((one) =>
          one.type === 'totp' ? { ...one, lastStep: same } : { ...one, counter: same },
        ),
      })
      const { answer, record: after } = await judge(twins, typed(codeOf(same)))
      expect(answer).to.deep.equal({ kind: 'wrong-code', counted: false })
      expect(after).to.equal(twins)
    })
  }

  // The mistake: a phone was stolen, and no list of events says which device signed in.
  it('is told with the device that gave it', async () => {
    const spare = { ...fob, name: 'Spare phone' }
    const record = enrolledRecord({ authenticators: [app, spare] })
    const detailOf = async (code: string) => (await judge(record, typed(code))).events[0]?.detail
    expect(await detailOf(counterCode(12))).to.deep.equal({ name: 'Spare phone', serial: null })
    expect(await detailOf(codeOf(STEP_NOW))).to.deep.equal({ name: null, serial: null })
  })

  it('is told with the name of an only device, where it has one', async () => {
    for (const only of [app, { ...app, name: 'Phone' }, { ...app, serial: 'A-1' }]) {
      const { name, serial } = only
      const record = enrolledRecord({ authenticators: [only] })
      const { events } = await judge(record, typed(codeOf(STEP_NOW)))
      const told = { type: 'code-accepted', method: 'totp' }
      const detail = name === null && serial === null ? {} : { detail: { name, serial } }
      expect(events).to.deep.equal([{ ...told, ...detail }])
    }
  })

  // The attack: a machine whose clock is far ahead forgets a month's wrong codes at the owner's next login.
  it('says of the time what the app says, and nothing by a counter', async () => {
    const misses = [NOW - 31 * DAY, NOW - DAY]
    const attempts = { misses, consecutive: 2 }
    const record = enrolledRecord({ authenticators: [app, fob], attempts })
    const byFob = await judge(record, typed(counterCode(11)))
    expect(byFob.record.attempts).to.deep.equal({ misses, consecutive: 0 })
    const byApp = await judge(record, typed(codeOf(STEP_NOW)))
    expect(byApp.record.attempts).to.deep.equal({ misses: [NOW - DAY], consecutive: 0 })
  })

  it('has the digits of at least one of them', async () => {
    const record = enrolledRecord({ authenticators: [app, { ...fob, digits: 8 }] })
    const eight = codeAt(11, SECRET, { algorithm: 'sha1', digits: 8 })
    expect((await judge(record, typed(eight))).answer.kind).to.equal('accepted')
    expect((await judge(record, typed(codeOf(STEP_NOW)))).answer.kind).to.equal('accepted')
  })
})

describe('a user with a device whose secret does not open', () => {
  const app = authenticatorWith()
  const broken = hotpWith({ secret: 'under a key that has left the ring' })
  const keys = keysWith({
    open: async (sealed) => {
      if (sealed === broken.secret) throw new Error('no such key')
      return { secret: SECRET, stale: false }
    },
  })

  for (const authenticators of [
    [app, broken],
    [broken, app],
  ]) {
    const order = authenticators.map(({ type }) => type).join(', ')
    it(`signs in by the healthy one (${order})`, async () => {
      const record = enrolledRecord({ authenticators })
      const { answer, ...right } = await judge(record, typed(codeOf(STEP_NOW)), { keys })
      expect(answer).to.include({ kind: 'accepted', method: 'totp' })
      expect(right.record.authenticators).to.deep.include(broken)
    })

    // The attack: one broken device makes guesses at the healthy one free.
    it(`is locked by as many guesses as others, though no verdict is told (${order})`, async () => {
      let record = enrolledRecord({ authenticators })
      let [now, guesses] = [NOW, 0]
      for (; guesses < 1000; guesses += 1) {
        const { answer, ...guess } = await judge(record, typed(wrongCode(now)), { keys, now })
        if (answer.kind === 'blocked' && answer.until >= now + 2 * HOUR) break
        if (answer.kind !== 'blocked') expect(answer.kind).to.equal('failed')
        record = guess.record
        now = answer.kind === 'blocked' ? answer.until : now
      }
      expect(record.attempts.misses).to.have.length(4)
    })
  }

  it('gets no verdict, and costs nothing, where none opens', async () => {
    const record = enrolledRecord({ authenticators: [broken] })
    const judged = judge(record, typed(counterCode(10)), { keys }).catch(String)
    expect(await judged).to.equal('Error: no such key')
  })
})

// The attack: a machine whose clock is ahead drops the misses of the month by codes that show no time.
describe('a resynchronisation', () => {
  it('drops no misses by the clock of its machine', async () => {
    const token = authenticatorWith({ serial: 'T-1' })
    const misses = [NOW - 40 * DAY, NOW - DAY]
    const record = enrolledRecord({
      authenticators: [token],
      attempts: { misses, consecutive: 0 },
    })
    const pair = { code: codeOf(STEP_NOW + 100), nextCode: codeOf(STEP_NOW + 101) }
    const proof = readResync(pair)
    if (typeof proof === 'string') throw new Error('it has the shape of two codes')
    const resynced = await judge(record, proof)
    expect(resynced.answer.kind).to.equal('accepted')
    expect(resynced.record.attempts.misses).to.deep.equal(misses)
  })
})
