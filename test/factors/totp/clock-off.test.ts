// The mistake: a phone whose clock is 55 seconds off got its code refused four times out of five.
// The attack: a device's clock that is said to be off makes a used code good again (LinOTP #110).

import { expect } from 'chai'
import fc from 'fast-check'
import { answerTotp } from '../../../lib/factors/totp/answer.js'
import type { TotpAuthenticator } from '../../../lib/factors/totp/kept.js'
import { proveTotp } from '../../../lib/factors/totp/make.js'
import { nextTotpAt } from '../../../lib/factors/totp/page.js'
import { keysWith } from '../../support/proofs.js'
import {
  authenticatorWith,
  codeOf,
  NOW,
  SECOND,
  STEP_NOW,
  UNPROVEN,
} from '../../support/records.js'

const keys = keysWith()
const stepOf = (now: number) => Math.floor(now / 30_000)

/** The code of a device whose clock is so many seconds ahead (negative: behind). */
const shownAt = (now: number, off: number) => codeOf(stepOf(now + off * SECOND))

async function boundAt(now: number, off: number): Promise<TotpAuthenticator> {
  const unproven = { ...UNPROVEN, secret: 'sealed' }
  const proven = await proveTotp(unproven, shownAt(now, off), { now, window: 1, keys })
  if (proven.kind !== 'right') throw new Error(`a set-up refuses a clock that is ${off} s off`)
  return authenticatorWith({ ...proven.kept, since: now })
}

async function answered(kept: TotpAuthenticator, code: string, now: number, window = 1) {
  return answerTotp(kept, code, { now, window, keys })
}

describe('an app whose clock is constantly off by less than a minute', () => {
  const off = fc.oneof(
    fc.integer({ min: -60, max: 60 }),
    fc.constantFrom(-59, -55, -45, 45, 55, 59),
  )
  const waits = fc.array(fc.integer({ min: 30, max: 500 }), { minLength: 30, maxLength: 30 })

  it('signs in every time, whenever it does', async () => {
    await fc.assert(
      fc.asyncProperty(off, fc.nat({ max: 29 }), waits, async (off, second, waits) => {
        let now = NOW + second * SECOND
        let kept = await boundAt(now, off)
        for (const wait of waits) {
          now += wait * SECOND
          const answer = await answered(kept, shownAt(now, off), now)
          expect(answer.kind, `${off} s off, ${wait} s later`).to.equal('right')
          if (answer.kind === 'right') kept = answer.kept
        }
      }),
    )
  })

  it('signs in also where its clock is put right, or goes wrong, by half a minute at a time', async () => {
    let kept = await boundAt(NOW, 0)
    let now = NOW
    for (const off of [30, 60, 30, 0, -30, -60, -30, 0]) {
      now += 600 * SECOND
      const answer = await answered(kept, shownAt(now, off), now)
      expect(answer.kind, `${off} s`).to.equal('right')
      if (answer.kind === 'right') kept = answer.kept
    }
  })
})

describe('the clock of an authenticator', () => {
  it('is learned by one step a login, and never further than two from the right time', async () => {
    const learned = async (offset: number, seen: number, window: number) => {
      const answer = await answered(
        authenticatorWith({ offset }),
        codeOf(STEP_NOW + seen),
        NOW,
        window,
      )
      return answer.kind === 'right' ? answer.kept.offset : answer.kind
    }
    expect(await learned(0, 0, 1)).to.equal(0)
    expect(await learned(0, 1, 1)).to.equal(1)
    expect(await learned(0, -2, 2)).to.equal(-1)
    expect(await learned(1, -1, 2)).to.equal(0)
    expect(await learned(2, 3, 1)).to.equal(2)
    expect(await learned(-2, -4, 2)).to.equal(-2)
    expect(await learned(1, 1, 0)).to.equal(1)
  })

  it('leaves as many codes valid at once as before', async () => {
    for (const window of [0, 1, 2]) {
      for (const offset of [-2, -1, 0, 1, 2]) {
        const kept = authenticatorWith({ offset })
        const right: number[] = []
        for (let seen = -8; seen <= 8; seen += 1) {
          const answer = await answered(kept, codeOf(STEP_NOW + seen), NOW, window)
          if (answer.kind === 'right') right.push(seen)
        }
        const all = Array.from({ length: 2 * window + 1 }, (_, nth) => offset - window + nth)
        expect(right).to.deep.equal(all)
      }
    }
  })

  it('of a hardware token may be up to two hours off', async () => {
    const learned = async (offset: number, seen: number) => {
      const kept = authenticatorWith({ offset, serial: 'A-17' })
      const answer = await answered(kept, codeOf(STEP_NOW + seen), NOW)
      return answer.kind === 'right' ? answer.kept.offset : answer.kind
    }
    expect(await learned(2, 3)).to.equal(3)
    expect(await learned(-239, -240)).to.equal(-240)
    expect(await learned(-240, -241)).to.equal(-240)
  })

  it('never makes an accepted code good again, nor an earlier one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -2, max: 2 }),
        fc.constantFrom(0, 1, 2),
        fc.integer({ min: -4, max: 4 }),
        fc.integer({ min: -8, max: 8 }),
        async (offset, window, last, seen) => {
          const kept = authenticatorWith({ offset, lastStep: STEP_NOW + last })
          const answer = await answered(kept, codeOf(STEP_NOW + seen), NOW, window)
          const accepted = seen > last && Math.abs(seen - offset) <= window
          expect(answer.kind === 'right').to.equal(accepted)
          if (answer.kind === 'right') expect(answer.kept.lastStep).to.equal(STEP_NOW + seen)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('is told at a set-up, by two steps, whatever the window', async () => {
    for (const window of [0, 1, 2]) {
      for (const offset of [-3, -2, -1, 0, 1, 2, 3]) {
        const unproven = { ...UNPROVEN, secret: 'sealed' }
        const moment = { now: NOW, window, keys }
        const proven = await proveTotp(unproven, codeOf(STEP_NOW + offset), moment)
        if (Math.abs(offset) > 2) {
          expect(proven).to.deep.equal({ kind: 'wrong', clockOff: offset * 30 })
        } else {
          if (proven.kind !== 'right') throw new Error(`refused: ${offset}`)
          expect(proven.kept).to.include({ lastStep: STEP_NOW + offset, offset })
        }
      }
    }
  })

  it('is part of the wait for the next code', () => {
    const next = (offset: number, lastStep: number) =>
      nextTotpAt({ lastStep, period: 30, offset }, NOW + 12 * SECOND)
    expect(next(2, STEP_NOW + 2)).to.equal(NOW + 30 * SECOND)
    expect(next(-2, STEP_NOW - 2)).to.equal(NOW + 30 * SECOND)
    expect(next(-2, STEP_NOW - 3)).to.equal(null)
  })
})
