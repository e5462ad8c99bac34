// The attack of promise 3, at a user with a key fob: somebody knows the password and guesses at every moment
// at which a code is looked at. Eleven codes of a fob are right at once, a hundred and one of a fob that
// waits in the post, and two thousand digits' worth of a pair at the resynchronisation.

import { expect } from 'chai'
import { attemptCaps } from '../../lib/domain/attempts.js'
import { capsOf } from '../../lib/domain/miss-budget.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { readProof, readResync } from '../../lib/factors/factors.js'
import { RESYNC_AHEAD } from '../../lib/factors/hotp/answer.js'
import { FAR_LOOK_AHEAD, FAR_MISSES_AT_MOST, LOOK_AHEAD } from '../../lib/factors/hotp/far.js'
import { codeAt } from '../../lib/factors/otp/code-at.js'
import { OFFSET_OF_TOKENS_AT_MOST } from '../../lib/factors/totp/offset.js'
import { judge } from '../support/proofs.js'
import {
  authenticatorWith,
  DAY,
  enrolledRecord,
  hotpWith,
  NOW,
  PARAMETERS,
  SECRET,
} from '../support/records.js'

const MONTH = 30 * DAY
const YEAR = 365 * DAY
const PER_CYCLE = 0.0003
const PER_YEAR = 0.004
const CODES = 1e6

const fresh = hotpWith({ id: 'new', serial: 'A-1', lastUsedAt: null, since: NOW })

function typed(code: string) {
  const proof = readProof({ code })
  if (proof === null) throw new Error('it has the shape of a code')
  return proof
}

/** A code that none of the devices has for a long time. */
function wrongCodeAt(now: number): string {
  const step = Math.floor(now / 30_000)
  const steps = Array.from({ length: 9 }, (_, nth) => step - 4 + nth)
  const counters = Array.from({ length: 200 }, (_, nth) => nth)
  const right = new Set([...steps, ...counters].map((at) => codeAt(at, SECRET, PARAMETERS)))
  for (let guess = 0; ; guess += 1) {
    const code = String(guess).padStart(6, '0')
    if (!right.has(code)) return code
  }
}

interface Guess {
  readonly at: number
  /** How many codes it was compared with. */
  readonly chances: number
}

/** Guesses at every moment at which a code is looked at, for a year. */
async function greedyYear(authenticators: SecondStepRecord['authenticators']) {
  let record = enrolledRecord({ authenticators })
  let now = NOW
  const guesses: Guess[] = []
  while (now < NOW + YEAR) {
    const chances = chancesOf(record)
    const { answer, ...decided } = await judge(record, typed(wrongCodeAt(now)), { now })
    // The owner signs in by a backup code all the time, which ends the row of misses.
    record = { ...decided.record, attempts: { ...decided.record.attempts, consecutive: 0 } }
    if (answer.kind === 'blocked') now = answer.until
    else guesses.push({ at: now, chances })
  }
  return guesses
}

function chancesOf({ authenticators }: SecondStepRecord): number {
  return authenticators.reduce((sum, one) => {
    if (one.type === 'totp') return sum + 3
    const far = one.lastUsedAt === null && one.serial !== null
    return (
      sum + (far && one.farMisses.length < FAR_MISSES_AT_MOST ? FAR_LOOK_AHEAD : LOOK_AHEAD) + 1
    )
  }, 0)
}

const chanceOf = (guesses: readonly Guess[]) =>
  1 - guesses.reduce((none, { chances }) => none * (1 - chances / CODES), 1)

/** The likeliest month. */
function worstMonth(guesses: readonly Guess[]): number {
  const months = guesses.map(({ at: from }) =>
    chanceOf(guesses.filter(({ at }) => at >= from && at < from + MONTH)),
  )
  return Math.max(...months)
}

describe('guessing codes of a device that counts them', () => {
  const apps = [1, 2, 3, 4].map((nth) => authenticatorWith({ id: `app ${nth}` }))
  const fobs = [1, 2, 3, 4].map((nth) => hotpWith({ id: `fob ${nth}` }))
  const users = {
    'a fob': [hotpWith()],
    'an app and a fob': [authenticatorWith(), hotpWith()],
    'five fobs': [hotpWith(), ...fobs],
    'a new fob': [fresh],
    'an app and a new fob': [authenticatorWith(), fresh],
    'four apps and a new fob': [...apps, fresh],
    'five fobs, one of them new': [...fobs, fresh],
  }
  for (const [who, authenticators] of Object.entries(users)) {
    it(`does not pay for a year (${who})`, async () => {
      const guesses = await greedyYear(authenticators)
      expect(guesses.length).to.be.above(12)
      expect(worstMonth(guesses)).to.be.at.most(PER_CYCLE)
      expect(chanceOf(guesses)).to.be.below(PER_YEAR)
    })
  }

  it('does not pay, by the caps of every combination', () => {
    for (let apps = 0; apps <= 5; apps += 1) {
      for (let fobs = 0; fobs <= 5 - apps; fobs += 1) {
        for (const window of [0, 1, 2]) {
          for (let far = 0; far <= (fobs === 0 ? 0 : FAR_MISSES_AT_MOST); far += 1) {
            if (apps + fobs === 0) continue
            const atOnce = apps * (2 * window + 1) + fobs * (LOOK_AHEAD + 1)
            const beyond = far * (FAR_LOOK_AHEAD - LOOK_AHEAD)
            const { day, month, consecutive } = attemptCaps(atOnce, beyond)
            const [what, chances] = [`${apps} ${fobs} ${window} ${far}`, month * atOnce + beyond]
            expect(chances / CODES, what).to.be.at.most(PER_CYCLE)
            expect((chances / CODES) * (365 / 30), what).to.be.below(PER_YEAR)
            expect(Math.min(day, month, consecutive), what).to.be.at.least(1)
          }
        }
      }
    }
  })

  it('counts what was compared far ahead for a month, and until a code is right', () => {
    const guessed = { ...fresh, farMisses: [NOW, NOW] }
    const monthOf = (authenticators: SecondStepRecord['authenticators'], now: number) =>
      capsOf({ authenticators }, 1, now).month
    expect(monthOf([fresh], NOW)).to.equal(27)
    expect(monthOf([guessed], NOW)).to.equal(10)
    expect(monthOf([guessed], NOW + YEAR)).to.equal(10)
    expect(monthOf([{ ...guessed, lastUsedAt: NOW }], NOW + DAY)).to.equal(10)
    expect(monthOf([{ ...guessed, lastUsedAt: NOW }], NOW + MONTH)).to.equal(27)
  })

  describe('is no easier with two consecutive codes', () => {
    const clock = authenticatorWith({ serial: 'A-1', lastStep: -1, offset: 0 })
    const around = Math.floor(NOW / 30_000)
    const steps = OFFSET_OF_TOKENS_AT_MOST / 30
    // The first and the last counter at which the first code of a pair is right.
    const devices = {
      'within a thousand': { device: hotpWith(), from: 10, to: 10 + RESYNC_AHEAD },
      'within two hours': { device: clock, from: around - steps - 1, to: around + steps - 1 },
    }
    for (const [within, { device, from, to }] of Object.entries(devices)) {
      const kindOf = async (first: number, second: number) => {
        const record = enrolledRecord({ authenticators: [device] })
        return (await judge(record, pairOf(first, second), { now: NOW })).answer.kind
      }

      it(within, async () => {
        expect(await kindOf(from, from + 1)).to.equal('accepted')
        expect(await kindOf(to, to + 1)).to.equal('accepted')
        const wrong: readonly [number, number][] = [
          [from - 1, from],
          [to + 1, to + 2],
          // Both are codes of the device, but not consecutive ones.
          [from, from],
          [from, from + 2],
          [from + 1, from],
          [from, to],
        ]
        for (const [first, second] of wrong) {
          expect(await kindOf(first, second), `${first - from} ${second - from}`).to.equal(
            'wrong-code',
          )
        }
        expect((to - from + 1) / CODES ** 2).to.be.below((LOOK_AHEAD + 1) / CODES / 1000)
      })
    }
  })
})

function pairOf(first: number, second: number) {
  const codes = [first, second].map((at) => codeAt(at, SECRET, PARAMETERS))
  const proof = readResync({ code: codes[0], nextCode: codes[1] })
  if (typeof proof === 'string') throw new Error('it has the shape of two codes')
  return proof
}
