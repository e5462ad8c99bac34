import { expect } from 'chai'
import { resyncTotp } from '../../../lib/factors/totp/resync.js'
import { keysWith } from '../../support/proofs.js'
import { authenticatorWith, codeOf, deepFreeze, NOW, STEP_NOW } from '../../support/records.js'

const TWO_HOURS = 240

const token = authenticatorWith({ serial: 'A-1', lastUsedAt: NOW, lastStep: STEP_NOW - 1000 })

function resync(first: number, second = first + 1, kept = token) {
  const codes = [codeOf(first), codeOf(second)] as const
  return resyncTotp(deepFreeze(kept), codes, { now: NOW, window: 1, keys: keysWith() })
}

describe('two consecutive codes by the time', () => {
  it('are found within two hours, and keep how far the clock is off', async () => {
    for (const off of [-TWO_HOURS, -90, -1, 0, 1, 90, TWO_HOURS]) {
      const judged = await resync(STEP_NOW + off - 1)
      const kept = { ...token, lastStep: STEP_NOW + off, offset: off, lastUsedAt: NOW }
      expect(judged, `${off}`).to.deep.equal({ kind: 'right', kept, events: [] })
    }
    for (const off of [-TWO_HOURS - 1, TWO_HOURS + 1]) {
      expect((await resync(STEP_NOW + off - 1)).kind, `${off}`).to.equal('wrong')
    }
  })

  // LinOTP #110: a clock that is behind made codes count again that had been used.
  it('are later than the last accepted one, whatever the drift', async () => {
    const used = { ...token, lastStep: STEP_NOW + 50, offset: 50 }
    for (const first of [-100, 0, 48, 50]) {
      expect((await resync(STEP_NOW + first, STEP_NOW + first + 1, used)).kind).to.equal('wrong')
    }
    expect((await resync(STEP_NOW + 51, STEP_NOW + 52, used)).kind).to.equal('right')
    // The form was sent twice.
    expect((await resync(STEP_NOW + 49, STEP_NOW + 50, used)).kind).to.equal('used')
  })

  it('are neither the same code twice, nor in the other order, nor with one between them', async () => {
    for (const second of [20, 19, 22]) {
      expect((await resync(STEP_NOW + 20, STEP_NOW + second)).kind).to.equal('wrong')
    }
  })

  it('are found within two steps for an app, whose clock its user can set', async () => {
    const app = authenticatorWith({ offset: 2, lastUsedAt: NOW, lastStep: STEP_NOW - 1000 })
    for (const off of [-2, -1, 0, 1, 2]) {
      const judged = await resync(STEP_NOW + off - 1, STEP_NOW + off, app)
      const kept = { ...app, lastStep: STEP_NOW + off, offset: off, lastUsedAt: NOW }
      expect(judged, `${off}`).to.deep.equal({ kind: 'right', kept, events: [] })
    }
    for (const off of [-3, 3, 90]) {
      const judged = await resync(STEP_NOW + off - 1, STEP_NOW + off, app)
      expect(judged.kind, `${off}`).to.equal('wrong')
    }
  })
})
