// The attack: somebody knows the password and guesses all year at every moment at which a code is looked at, while
// the owner adds, changes and removes devices. Each of these must not give the guesser tries again.

import { expect } from 'chai'
import { removeOne } from '../../lib/domain/own-authenticators.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { beginKeyChange, confirmSetup } from '../../lib/domain/setup.js'
import type { Replaced } from '../../lib/domain/setup-place.js'
import { judge, keysWith, otp } from '../support/proofs.js'
import {
  authenticatorWith,
  codeOf,
  DAY,
  enrolledRecord,
  NOW,
  UNPROVEN,
  wrongCode,
} from '../support/records.js'

const MONTH = 30 * DAY
const YEAR = 365 * DAY
const WINDOW = 1

interface Guess {
  readonly at: number
  /** How many codes it was compared with. */
  readonly codes: number
}

class Account {
  record: SecondStepRecord
  now = NOW
  readonly guesses: Guess[] = []
  #bound = 0

  constructor(devices: number) {
    const authenticators = Array.from({ length: devices }, (_, nth) =>
      authenticatorWith({ id: `device ${nth}` }),
    )
    this.record = enrolledRecord({ authenticators })
  }

  /** Answers until when no code is looked at, or null. The owner ends every row of misses. */
  async guess(): Promise<number | null> {
    const codes = this.record.authenticators.length * (2 * WINDOW + 1)
    const { record, answer } = await judge(this.record, otp(wrongCode(this.now)), { now: this.now })
    this.record = { ...record, attempts: { ...record.attempts, consecutive: 0 } }
    if (answer.kind === 'blocked') return answer.until
    this.guesses.push({ at: this.now, codes })
    return null
  }

  async bind(replaces: Replaced): Promise<void> {
    this.#bound += 1
    const id = `bound ${this.#bound}`
    const unproven = { ...UNPROVEN, secret: 'sealed' }
    const command = { owner: 'stamp', unproven, replaces, policy: 1 }
    const begun = beginKeyChange(this.record, command, this.now).record
    const given = codeOf(Math.floor(this.now / 30_000))
    const moment = { now: this.now, window: WINDOW, keys: keysWith() }
    const asked = { owner: 'stamp', given, id, name: id, backupCodes: null }
    const { record, answer } = await confirmSetup(begun, asked, moment)
    expect(answer.kind).to.equal('enrolled')
    this.record = record
  }

  add = (): Promise<void> => this.bind('none')

  async change(): Promise<void> {
    const id = this.record.authenticators.at(-1)?.id ?? ''
    await this.bind({ id })
  }

  async remove(): Promise<void> {
    const last = this.record.authenticators.at(-1)
    if (last === undefined) throw new Error('nothing is bound')
    this.record = removeOne(this.record, last, { window: WINDOW, now: this.now }).record
  }
}

type Act = (account: Account) => Promise<void>

const add: Act = (account) => account.add()
const change: Act = (account) => account.change()
const remove: Act = (account) => account.remove()

/** A year of guesses. In every lock that lasts for more than a day the owner acts once, until all is done. */
async function yearOf(devices: number, acts: readonly Act[]): Promise<readonly Guess[]> {
  const account = new Account(devices)
  const due = [...acts]
  let hasActed = false
  while (account.now < NOW + YEAR) {
    const until = await account.guess()
    if (until === null) continue
    const act: Act | undefined = !hasActed && until > account.now + DAY ? due.shift() : undefined
    hasActed = act !== undefined
    // Whatever an act opens is guessed at before the time goes on.
    if (act === undefined) account.now = until
    else await act(account)
  }
  expect(due, 'what the owner has not done').to.deep.equal([])
  return account.guesses
}

function chanceOf(guesses: readonly Guess[]): number {
  return 1 - guesses.reduce((missed, { codes }) => missed * (1 - codes / 1_000_000), 1)
}

function worstMonth(guesses: readonly Guess[]): number {
  const chances = guesses.map(({ at }) =>
    chanceOf(guesses.filter((other) => other.at >= at && other.at < at + MONTH)),
  )
  return Math.max(...chances)
}

const YEARS: readonly [string, number, readonly Act[]][] = [
  ['adds four devices', 1, [add, add, add, add]],
  ['changes one of two, time and again', 2, Array.from({ length: 11 }, () => change)],
  ['changes one of five, time and again', 5, Array.from({ length: 11 }, () => change)],
  ['adds and removes a device', 1, [add, remove, add, remove, add, remove, add, remove]],
  ['adds, changes and removes', 2, [add, change, remove, change, add, add, remove, change]],
]

describe('guessing while the owner changes devices', () => {
  for (const [name, devices, acts] of YEARS) {
    it(`does not pay when the owner ${name}`, async () => {
      const guesses = await yearOf(devices, acts)
      expect(guesses.length).to.be.above(12)
      expect(worstMonth(guesses)).to.be.below(0.0003)
      expect(chanceOf(guesses)).to.be.below(0.004)
    })
  }

  it('begins anew with a device that replaces the only one', async () => {
    const account = new Account(1)
    await account.guess()
    await account.change()
    expect(account.record.attempts.misses).to.deep.equal([])
  })
})
