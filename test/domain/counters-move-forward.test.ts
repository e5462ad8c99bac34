// The attack: some sequence of codes, pairs, waits and mistakes makes a counted code right a second time.

import { expect } from 'chai'
import fc from 'fast-check'
import { readProof, readResync } from '../../lib/factors/factors.js'
import { codeAt } from '../../lib/factors/otp/code-at.js'
import { judge } from '../support/proofs.js'
import {
  authenticatorWith,
  DAY,
  enrolledRecord,
  HOUR,
  hotpWith,
  NOW,
  PARAMETERS,
  SECRET,
} from '../support/records.js'

const codeOf = (counter: number) => codeAt(Math.max(0, counter), SECRET, PARAMETERS)

/** What somebody gives, counted from the next code of the device. */
type Given =
  | { readonly kind: 'code'; readonly ahead: number }
  | { readonly kind: 'pair'; readonly ahead: number; readonly gap: number }
  | { readonly kind: 'wait'; readonly by: number }

const offset = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: -12, max: 12 }) },
  { weight: 1, arbitrary: fc.integer({ min: -1200, max: 1200 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 10, 11, 100, 101, 1000, 1001) },
)
const given: fc.Arbitrary<Given> = fc.oneof(
  fc.record({ kind: fc.constant('code' as const), ahead: offset }),
  fc.record({
    kind: fc.constant('pair' as const),
    ahead: offset,
    gap: fc.constantFrom(1, 1, 1, 0, 2),
  }),
  fc.record({ kind: fc.constant('wait' as const), by: fc.constantFrom(HOUR, DAY, 31 * DAY) }),
)

function proofOf(counter: number, one: Exclude<Given, { kind: 'wait' }>) {
  const code = codeOf(counter + one.ahead)
  if (one.kind === 'code') return readProof({ code })
  const proof = readResync({ code, nextCode: codeOf(counter + one.ahead + one.gap) })
  return typeof proof === 'string' ? null : proof
}

describe('the counter of a device', () => {
  const devices = {
    'in use': hotpWith({ counter: 1500 }),
    'just assigned': hotpWith({ counter: 1500, serial: 'A-1', lastUsedAt: null }),
  }
  for (const [what, device] of Object.entries(devices)) {
    it(`only moves forward, past every code that was accepted (${what})`, async () => {
      const accepts = { code: 0, pair: 0 }
      await fc.assert(
        fc.asyncProperty(fc.array(given, { maxLength: 30 }), async (sequence) => {
          let record = enrolledRecord({
            // Its codes have eight digits: they are none of these.
            authenticators: [authenticatorWith({ digits: 8 }), device],
          })
          let now = NOW
          const accepted: number[] = []
          for (const one of sequence) {
            if (one.kind === 'wait') {
              now += one.by
              continue
            }
            const before = record.authenticators[1]
            if (before?.type !== 'hotp') throw new Error('the device is gone')
            const proof = proofOf(before.counter, one)
            if (proof === null) throw new Error('it has the shape of a code')
            const { answer, ...decided } = await judge(record, proof, { now })
            const after = decided.record.authenticators[1]
            if (after?.type !== 'hotp') throw new Error('the device is gone')
            if (answer.kind === 'accepted') {
              // Two counters can have one code by chance: the first of them is meant.
              const last = before.counter + one.ahead + (one.kind === 'pair' ? one.gap : 0)
              const burned = after.counter - 1
              expect(after.counter).to.be.above(before.counter)
              expect(codeOf(burned), 'what was given is burned').to.equal(codeOf(last))
              expect(burned).to.be.above(Math.max(-1, ...accepted))
              accepted.push(burned)
              accepts[one.kind] += 1
            } else expect(after.counter).to.equal(before.counter)
            record = decided.record
          }
        }),
        { numRuns: 150 },
      )
      expect(accepts.code, 'codes').to.be.above(0)
      expect(accepts.pair, 'pairs').to.be.above(0)
    })
  }
})
