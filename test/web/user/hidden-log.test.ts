// The attack: somebody who has the password sends codes to one process without end, wrong ones or one that is used
// up, and gives another process a stolen code, or guesses there. If codes under way hold the day's places in the
// log, the log has no entry of what happens meanwhile.

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { memoryCounters } from '../../../lib/limits/memory-counters.js'
import type { Counters } from '../../../lib/ports/counters.js'
import type { RecordStore } from '../../../lib/ports/record-store.js'
import { takeEach } from '../../../lib/ports/take-each.js'
import { type Browser, enrol, giveCode } from '../../support/browser.js'
import { movedSystem, SECOND } from '../../support/clock.js'
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

/** Two processes with one store. At the first, codes are under way while `meanwhile` runs at the second. */
async function typesInLog(attack: {
  readonly under: (backupCodes: readonly string[]) => string | undefined
  readonly meanwhile: (thief: Browser, backupCodes: readonly string[]) => Promise<unknown>
}): Promise<readonly string[]> {
  const [counters, store, system] = [memoryCounters(), storeForTests(), movedSystem()]
  const keys = [randomBytes(32).toString('base64')]
  const { slow, taken, answer } = slowCounters(counters)
  const processOf = (its: Counters) => makeHost({ system, options: { store, keys, counters: its } })
  const [busy, other] = [processOf(slow), processOf(counters)]
  const { backupCodes } = await enrol(other, ann)
  await giveCode(await pendingBrowser(other), backupCodes[0]).expect(200)
  const before = (await logOf(store)).length
  system.advance(SECOND)
  const thief = await pendingBrowser(other)
  const logins = await Promise.all(Array.from({ length: LOGINS }, () => pendingBrowser(busy)))
  const code = attack.under(backupCodes)
  const underWay = logins.flatMap((login) =>
    Array.from({ length: 5 }, () => giveCode(login, code).then(({ status }) => status)),
  )
  await taken
  await attack.meanwhile(thief, backupCodes)
  const types = (await logOf(store)).slice(0, -before)
  answer()
  await Promise.all(underWay)
  return types
}

/** The types of Ann's entries, the newest first. */
async function logOf({ audit }: RecordStore): Promise<readonly string[]> {
  const page = await audit?.list({ user: ann.id, cursor: null, limit: 100 })
  return (page?.entries ?? []).map(({ type }) => type)
}

describe('the log of a user', () => {
  it('has a stolen code, however many wrong ones are under way at another process', async () => {
    const types = await typesInLog({
      under: () => NO_BACKUP_CODE,
      meanwhile: (thief, [, stolen]) => giveCode(thief, stolen).expect(200),
    })
    expect(types).to.have.members(['code-accepted', 'backup-code-used'])
  })

  it('has a wrong code, however often a used one is under way at another process', async () => {
    const types = await typesInLog({
      under: ([used]) => used,
      meanwhile: (thief) => giveCode(thief, NO_BACKUP_CODE).expect(401),
    })
    expect(types).to.deep.equal(['wrong-code'])
  })
})
