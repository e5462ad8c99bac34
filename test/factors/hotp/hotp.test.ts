import { expect } from 'chai'
import { LOOK_AHEAD } from '../../../lib/factors/hotp/far.js'
import { hotp } from '../../../lib/factors/hotp/hotp.js'
import type { HotpAuthenticator } from '../../../lib/factors/hotp/kept.js'
import { matchCounter, matchPair } from '../../../lib/factors/hotp/verdict.js'
import { codeAt } from '../../../lib/factors/otp/code-at.js'
import { keysWith } from '../../support/proofs.js'
import { DAY, deepFreeze, hotpWith, NOW, SECRET } from '../../support/records.js'

const PARAMETERS = { algorithm: 'sha1', digits: 6 } as const

/** RFC 4226, appendix D: the codes of the counters 0 to 9. */
const VECTORS = [
  ...['755224', '287082', '359152', '969429', '338314'],
  ...['254676', '287922', '162583', '399871', '520489'],
]

const codeOf = (counter: number) => codeAt(counter, SECRET, PARAMETERS)

const moment = { now: NOW, window: 1, keys: keysWith() }

const answer = (kept: HotpAuthenticator, code: string, now = NOW) =>
  hotp.answer(deepFreeze(kept), code, { ...moment, now })

const resync = (kept: HotpAuthenticator, ...codes: readonly [string, string]) =>
  hotp.resync(deepFreeze(kept), codes, moment)

describe('codes by a counter', () => {
  it('are those of RFC 4226, appendix D', () => {
    for (const [counter, code] of VECTORS.entries()) {
      const from = { counter, ahead: 0, used: false }
      expect(matchCounter(code, SECRET, PARAMETERS, from)).to.deep.equal({ kind: 'match', counter })
    }
  })

  it('are accepted up to ten ahead, and say which one it was', async () => {
    const kept = hotpWith({ counter: 50 })
    for (let ahead = -60; ahead <= 60; ahead += 1) {
      const counter = 50 + ahead
      if (counter < 0) continue
      const expected = ahead >= 0 && ahead <= 10 ? 'right' : ahead === -1 ? 'used' : 'wrong'
      const judged = await answer(kept, codeOf(counter))
      expect(judged.kind, `${ahead} ahead`).to.equal(expected)
      if (judged.kind !== 'right') continue
      expect(judged.kept).to.deep.equal({ ...kept, counter: counter + 1, lastUsedAt: NOW })
    }
  })

  // The attack: a code that was read over a shoulder, or skipped by a press, is given later.
  it('are burned with all before them', async () => {
    const judged = await answer(hotpWith({ counter: 3 }), codeOf(9))
    if (judged.kind !== 'right') throw new Error('the code is ahead by six')
    for (let counter = 0; counter < 9; counter += 1) {
      expect((await answer(judged.kept, codeOf(counter))).kind).to.equal('wrong')
    }
    expect((await answer(judged.kept, codeOf(9))).kind).to.equal('used')
    expect((await answer(judged.kept, codeOf(10))).kind).to.equal('right')
  })

  it('of an assigned token that nobody has proved may be a hundred ahead', async () => {
    const kept = hotpWith({ counter: 7, lastUsedAt: null, serial: 'A-1' })
    expect((await answer(kept, codeOf(107))).kind).to.equal('right')
    expect((await answer(kept, codeOf(108))).kind).to.equal('wrong')
    // Nothing was accepted yet, so nothing was used.
    expect((await answer(kept, codeOf(6))).kind).to.equal('wrong')
    for (const other of [
      { ...kept, lastUsedAt: NOW },
      { ...kept, serial: null },
    ]) {
      expect((await answer(other, codeOf(107))).kind).to.equal('wrong')
      expect((await answer(other, codeOf(17))).kind).to.equal('right')
    }
  })

  // The attack: each guess at a token that waits in the post has a hundred chances.
  it('are looked for so far ahead for two wrong codes alone', async () => {
    let kept = hotpWith({ counter: 7, lastUsedAt: null, serial: 'A-1' })
    for (const misses of [1, 2]) {
      const judged = await answer(kept, '000000')
      if (judged.kind !== 'wrong' || judged.kept === undefined) throw new Error('it is noted')
      expect(judged.kept.farMisses).to.have.length(misses)
      kept = judged.kept
    }
    expect(await answer(kept, codeOf(18))).to.deep.equal({ kind: 'wrong' })
    expect((await answer(kept, codeOf(17))).kind).to.equal('right')
    const far = { missedAt: NOW, codes: 90 }
    expect(hotp.comparedFar(kept, NOW + 400 * DAY)).to.deep.equal([far, far])
    const proved = { ...kept, lastUsedAt: NOW }
    expect(hotp.comparedFar(proved, NOW + 29 * DAY)).to.deep.equal([far, far])
    expect(hotp.comparedFar(proved, NOW + 31 * DAY)).to.deep.equal([])
  })

  it('prove a set-up, and the code is burned with it', async () => {
    const unproven = await hotp.make(SECRET, PARAMETERS, keysWith())
    expect(hotp.isUnproven(unproven)).to.equal(true)
    const proven = await hotp.prove(unproven, codeOf(1), moment)
    if (proven.kind !== 'right') throw new Error('apps begin at 0 or 1')
    expect(proven.kept.counter).to.equal(2)
    expect((await hotp.prove(unproven, codeOf(LOOK_AHEAD), moment)).kind).to.equal('right')
    const wrong = await hotp.prove(unproven, codeOf(LOOK_AHEAD + 1), moment)
    expect(wrong).to.deep.equal({ kind: 'wrong', clockOff: null })
  })
})

describe('two consecutive codes by a counter', () => {
  it('are found within a thousand ahead, and say which the second one was', async () => {
    const kept = hotpWith({ counter: 5 })
    for (const ahead of [0, 1, 11, 999, 1000]) {
      const judged = await resync(kept, codeOf(5 + ahead), codeOf(6 + ahead))
      expect(judged.kind, `${ahead} ahead`).to.equal('right')
      if (judged.kind === 'right') expect(judged.kept.counter).to.equal(7 + ahead)
    }
    expect((await resync(kept, codeOf(1006), codeOf(1007))).kind).to.equal('wrong')
  })

  // The attack: codes that were used, or skipped, are given as a pair (LinOTP #110).
  it('are never from before the counter', async () => {
    const kept = hotpWith({ counter: 8 })
    for (const first of [0, 3, 5, 7]) {
      expect((await resync(kept, codeOf(first), codeOf(first + 1))).kind).to.equal('wrong')
    }
    // The form was sent twice.
    expect((await resync(kept, codeOf(6), codeOf(7))).kind).to.equal('used')
    const fresh = { ...kept, lastUsedAt: null }
    expect((await resync(fresh, codeOf(6), codeOf(7))).kind).to.equal('wrong')
  })

  it('are neither the same code twice, nor in the other order, nor with one between them', async () => {
    const kept = hotpWith({ counter: 5 })
    for (const [one, two] of [
      [20, 20],
      [21, 20],
      [20, 22],
    ] as const) {
      expect((await resync(kept, codeOf(one), codeOf(two))).kind).to.equal('wrong')
    }
  })

  it('are looked for from the very first counter on', () => {
    const from = { counter: 0, within: 10, used: true }
    const pair = [codeOf(0), codeOf(1)] as const
    expect(matchPair(pair, SECRET, PARAMETERS, from)).to.deep.equal({ kind: 'match', counter: 1 })
  })
})
