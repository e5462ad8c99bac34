// The attack: a user has several devices, and each wrong code is counted for none of them, or for each; or a
// code that one of them has burned is right at another.

import { expect } from 'chai'
import { readProof } from '../../lib/factors/factors.js'
import { codeAt } from '../../lib/factors/totp/code-at.js'
import { judge } from '../support/proofs.js'
import {
  authenticatorWith,
  codeOf,
  DAY,
  enrolledRecord,
  hotpWith,
  NOW,
  PARAMETERS,
  SECRET,
  STEP_NOW,
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
