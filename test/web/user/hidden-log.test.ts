// The attack: somebody who has the password and a stolen backup code sends wrong codes to one process, and gives
// the stolen one to another meanwhile. If codes under way hold the day's places in the log, the log has no entry
// of the stolen one.

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { memoryCounters } from '../../../lib/limits/memory-counters.js'
import type { Counters } from '../../../lib/ports/counters.js'
import { takeEach } from '../../../lib/ports/take-each.js'
import { enrol, giveCode } from '../../support/browser.js'
import { movedSystem } from '../../support/clock.js'
import { ann, makeHost } from '../../support/host.js'
import { storeForTests } from '../../support/store-for-tests.js'
import { pendingBrowser } from '../../support/visits.js'

const NO_BACKUP_CODE = '000000-000000-000000-000000'
/** With five codes each, they are as many as the log notes a day of accepted backup codes. */
const LOGINS = 4
const CODES = 5 * LOGINS

/** Counters in one place, as a process that answers late has them. */
function slowCounters(counters: Counters) {
  const waiting: (() => void)[] = []
  let allAreTaken: () => void = () => undefined
  const taken = new Promise<void>((resolve) => {
    allAreTaken = resolve
  })
  const slow: Counters = {
    ...counters,
    async takeAll(wanted, back) {
      const takings = await takeEach(counters, wanted, back)
      if (!wanted.some(({ name }) => name === 'pending-login')) return takings
      const answered = new Promise<void>((resolve) => waiting.push(resolve))
      if (waiting.length === CODES) allAreTaken()
      await answered
      return takings
    },
  }
  return { slow, taken, answer: () => waiting.forEach((resolve) => void resolve()) }
}

describe('the log of a user', () => {
  it('has a stolen code, however many wrong ones are under way at another process', async () => {
    const [counters, store, system] = [memoryCounters(), storeForTests(), movedSystem()]
    const keys = [randomBytes(32).toString('base64')]
    const { slow, taken, answer } = slowCounters(counters)
    const processOf = (its: Counters) =>
      makeHost({ system, options: { store, keys, counters: its } })
    const [busy, other] = [processOf(slow), processOf(counters)]
    const { backupCodes } = await enrol(other, ann)
    const thief = await pendingBrowser(other)
    const logins = await Promise.all(Array.from({ length: LOGINS }, () => pendingBrowser(busy)))
    const wrong = logins.flatMap((login) =>
      Array.from({ length: 5 }, () => giveCode(login, NO_BACKUP_CODE).then(({ status }) => status)),
    )
    await taken
    await giveCode(thief, backupCodes[0]).expect(200)
    answer()
    await Promise.all(wrong)
    const { entries } = (await store.audit?.list({ user: ann.id, cursor: null, limit: 100 })) ?? {}
    const types = entries?.map(({ type }) => type)
    expect(types).to.include.members(['code-accepted', 'backup-code-used'])
  })
})
