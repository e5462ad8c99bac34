// The attack: somebody knows the password and guesses at every moment at which a code is looked at, while an admin
// assigns new key fobs, whose first wrong codes are compared with a hundred each, and replaces lost ones.

import { expect } from 'chai'
import { removeByAdmin } from '../../lib/domain/administration.js'
import { tokenByAdmin } from '../../lib/domain/assigned-token.js'
import { defaultPolicy } from '../../lib/domain/policy.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { type Proof, readProof } from '../../lib/factors/factors.js'
import { codeAt } from '../../lib/factors/otp/code-at.js'
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

const WINDOW = 1
const APP_CODES = 3
const FOB_CODES = 11
const FAR_CODES = 101

/** A code that no device has now, and no fob among its next three hundred. */
function wrongForAll(now: number): Proof {
  const step = Math.floor(now / 30_000)
  const steps = Array.from({ length: 7 }, (_, nth) => step - 3 + nth)
  const counters = Array.from({ length: 300 }, (_, nth) => nth)
  const right = new Set([...steps, ...counters].map((at) => codeAt(at, SECRET, PARAMETERS)))
  const codes = Array.from({ length: right.size + 1 }, (_, nth) => String(nth).padStart(6, '0'))
  const proof = readProof({ code: codes.find((code) => !right.has(code)) })
  if (proof === null) throw new Error('digits are a proof')
  return proof
}

function codesOf({ authenticators }: SecondStepRecord): number {
  const codes = authenticators.map((one) => {
    if (one.type === 'totp') return APP_CODES
    const isFar = one.serial !== null && one.lastUsedAt === null && one.farMisses.length < 2
    return isFar ? FAR_CODES : FOB_CODES
  })
  return codes.reduce((sum, one) => sum + one, 0)
}

/** The codes that the guesses of 30 days are compared with, if a fob comes after so many of them. */
async function comparedIn30Days(first: SecondStepRecord, assignedAfter: readonly number[]) {
  let record = first
  let now = NOW
  let guesses = 0
  let compared = 0
  let fob = 0
  while (now < NOW + 30 * DAY) {
    while (fob < assignedAfter.length && guesses >= (assignedAfter[fob] ?? 0)) {
      const moment = { window: WINDOW, now }
      const subject = { roles: [], createdAt: null, privileged: false }
      const context = { record, policy: defaultPolicy, subject }
      if (fob > 0) record = removeByAdmin(context, `fob ${fob}`, moment).record
      fob += 1
      const serial = `S-${fob}`
      const token = hotpWith({ id: `fob ${fob}`, serial, lastUsedAt: null, since: now })
      record = tokenByAdmin({ record }, token, moment).record
    }
    const codes = codesOf(record)
    const judged = await judge(record, wrongForAll(now), { now })
    // The owner signs in by a backup code, which ends every row of misses.
    record = { ...judged.record, attempts: { ...judged.record.attempts, consecutive: 0 } }
    if (judged.answer.kind === 'blocked') {
      now = judged.answer.until
    } else {
      compared += codes
      guesses += 1
    }
  }
  expect(guesses).to.be.above(assignedAfter.at(-1) ?? 0)
  return compared
}

describe('A month of guesses at a user whose key fob', () => {
  const app = enrolledRecord({ authenticators: [authenticatorWith({ id: 'app' })] })
  const fobs = enrolledRecord({
    authenticators: [1, 2, 3, 4].map((nth) => hotpWith({ id: `own fob ${nth}` })),
  })

  for (const [what, record, assignedAfter] of [
    ['is assigned before the first', app, [0]],
    ['is assigned when the tries are nearly used up', app, [93]],
    ['is the fifth', fobs, [5]],
    ['is replaced by another', app, [0, 2]],
    ['is replaced three times', app, [0, 2, 4, 5]],
  ] as const) {
    it(`${what} never reaches 0.03 %`, async () => {
      const compared = await comparedIn30Days(record, assignedAfter)
      expect(compared / 1e6).to.be.at.most(0.0003)
    })
  }
})
