import { expect } from 'chai'
import fc from 'fast-check'
import { attemptCaps } from '../../lib/domain/attempts.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { backupCode, judge, otp } from '../support/proofs.js'
import {
  authenticatorOf,
  authenticatorWith,
  backupCodeSet,
  codeOf,
  DAY,
  deepFreeze,
  enrolledRecord,
  HOUR,
  MINUTE,
  NOW,
  SECOND,
  wrongCode,
} from '../support/records.js'

const MONTH = 30 * DAY
const YEAR = 365 * DAY

/** One account, its clock, and the times of all verdicts "wrong" that it gave. */
class Account {
  record: SecondStepRecord
  now = NOW
  readonly wrong: number[] = []
  readonly #window: number

  constructor(window: number, devices = 1) {
    this.#window = window
    const authenticators = Array.from({ length: devices }, (_, nth) =>
      authenticatorWith({ id: `device ${nth}` }),
    )
    this.record = enrolledRecord({ authenticators })
  }

  get #lastStep(): number {
    return authenticatorOf(this.record)?.lastStep ?? -1
  }

  /** A wrong code; answers until when no further one is looked at, or null. */
  async guess(): Promise<number | null> {
    const verdict = await this.#type(wrongCode(this.now, this.#lastStep))
    if (verdict.kind === 'wrong-code') this.wrong.push(this.now)
    return verdict.kind === 'blocked' ? verdict.until : null
  }

  async rightCode(): Promise<void> {
    await this.#type(codeOf(Math.floor(this.now / 30_000)))
  }

  /** The owner has any number of backup codes. */
  async backupCode(): Promise<void> {
    const record = { ...this.record, backupCodes: backupCodeSet('one') }
    const decision = await judge(deepFreeze(record), backupCode('one'), { now: this.now })
    expect(decision.answer.kind).to.equal('accepted')
    this.record = deepFreeze(decision.record)
  }

  async #type(code: string) {
    const decision = await judge(this.record, otp(code), { window: this.#window, now: this.now })
    this.record = decision.record
    return decision.answer
  }
}

/** The most verdicts that fell into any stretch of time of this length. */
function mostWithin(length: number, times: readonly number[]): number {
  let from = 0
  return times.reduce((most, at, index) => {
    while (at - (times[from] ?? at) >= length) from += 1
    return Math.max(most, index - from + 1)
  }, 0)
}

type Act = (account: Account) => Promise<unknown>

const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.integer({ min: 1, max: 40 }).map((times): Act => {
      return async (account) => {
        for (let guessed = 0; guessed < times; guessed += 1) {
          await account.guess()
          await account.backupCode()
        }
      }
    }),
  },
  { weight: 3, arbitrary: fc.constant<Act>((account) => account.guess()) },
  { weight: 1, arbitrary: fc.constant<Act>((account) => account.rightCode()) },
  { weight: 1, arbitrary: fc.constant<Act>((account) => account.backupCode()) },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(1, 30 * SECOND, MINUTE, HOUR - 1, HOUR, 8 * HOUR, DAY - 1, DAY, 9 * DAY, MONTH)
      .map((by): Act => {
        return async (account) => {
          account.now += by
        }
      }),
  },
)

describe('guessing codes of one account', () => {
  for (const window of [0, 1, 2]) {
    it(`never gets more verdicts than the caps allow, whatever happens (window ${window})`, async () => {
      const caps = attemptCaps(2 * window + 1)
      await fc.assert(
        fc.asyncProperty(fc.array(acts, { maxLength: 60, size: 'max' }), async (sequence) => {
          const account = new Account(window)
          for (const act of sequence) await act(account)
          expect(mostWithin(DAY, account.wrong)).to.be.at.most(caps.day)
          expect(mostWithin(MONTH, account.wrong)).to.be.at.most(caps.month)
        }),
        { numRuns: 20 },
      )
    })
  }

  // The attack of promise 3: somebody knows the password and guesses at every moment at which a code
  // is looked at, while the owner signs in all the time and so ends every row of misses.
  for (const devices of [1, 2, 3, 4, 5]) {
    for (const window of [0, 1, 2]) {
      it(`does not pay, though the owner signs in all the time (${devices}, window ${window})`, async () => {
        const codesAtOnce = devices * (2 * window + 1)
        const wrong = await greedyYear(window, devices)
        const caps = attemptCaps(codesAtOnce)
        expect(wrong.length).to.be.within(12 * caps.month, 13 * caps.month)
        expect(mostWithin(MONTH, wrong)).to.equal(caps.month)
        expect(chanceOf(caps.month, codesAtOnce)).to.be.below(0.0003)
        expect(chanceOf(wrong.length, codesAtOnce)).to.be.below(0.004)
      })
    }
  }

  it('does not pay with any number of codes at once that five authenticators can have', () => {
    // Five of a counter that looks 100 ahead have the most.
    for (let codesAtOnce = 1; codesAtOnce <= 300; codesAtOnce += 1) {
      const { day, month, consecutive } = attemptCaps(codesAtOnce)
      expect(Math.min(day, month, consecutive)).to.be.at.least(1)
      expect(chanceOf(month, codesAtOnce), `${codesAtOnce}`).to.be.below(0.0003)
      expect(chanceOf(13 * month, codesAtOnce), `${codesAtOnce}`).to.be.below(0.004)
    }
  })
})

async function greedyYear(window: number, devices: number): Promise<readonly number[]> {
  const account = new Account(window, devices)
  while (account.now < NOW + YEAR && account.wrong.length < 10_000) {
    await account.backupCode()
    const until = await account.guess()
    if (until === null) continue
    expect(until).to.be.above(account.now)
    account.now = until
  }
  return account.wrong
}

/** The chance that one of so many guesses is right, each at as many codes as are valid at once. */
function chanceOf(guesses: number, codesAtOnce: number): number {
  return 1 - (1 - codesAtOnce / 1_000_000) ** guesses
}
