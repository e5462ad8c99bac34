// The attack: somebody makes parts that a refusal could do without silent, so that each is waited for in vain, one
// after the other, and the refusal comes long after the two seconds.

import { expect } from 'chai'
import { notedADay } from '../../lib/domain/event-kind.js'
import { memoryCounters } from '../../lib/limits/memory-counters.js'
import type { AuditEntry } from '../../lib/ports/audit-log.js'
import type { Counters } from '../../lib/ports/counters.js'
import { DEFAULT_TIMEOUT, withTimeout } from '../../lib/ports/with-timeout.js'
import { NO_REQUEST } from '../../lib/service/announcer.js'
import { Audit } from '../../lib/service/audit.js'
import { NotedAttempts } from '../../lib/service/noted-attempts.js'
import { Records } from '../../lib/service/records.js'
import { Tally } from '../../lib/service/tally.js'
import { UnreadableSecrets } from '../../lib/service/unreadable-secrets.js'
import { Vault } from '../../lib/service/vault.js'
import { memoryStore } from '../../lib/stores/memory-store.js'
import { auditEntry } from '../support/audit-entry.js'
import { authenticatorWith, recordWith, USER } from '../support/records.js'
import { raising, refusal, requestInfo, silence, world } from './scripted-store.js'

/** What was waited for is answered, or refused, while a silent call still has time. */
async function expectSooner(work: () => Promise<unknown>): Promise<void> {
  const call = withTimeout('a silent part', silence, DEFAULT_TIMEOUT).catch(() => 'the silent call')
  expect(await Promise.race([work().then(() => 'what was asked'), call])).to.equal('what was asked')
}

const silentCounters: Counters = {
  counter: () => ({ take: silence, giveBack: silence, taken: silence }),
  takeAll: silence,
}

describe('a refusal waits briefly for a silent part that it could do without', () => {
  it('the count of a day’s entries, while another of them is not counted yet', async () => {
    const entry = { ...auditEntry(USER, 'wrong-code') } as AuditEntry
    expect(notedADay(entry)).to.be.a('number')
    const noted = new NotedAttempts(new Tally(silentCounters))
    expect(await noted.toKeep([entry])).to.have.length(1)
    await expectSooner(async () => expect(await noted.toKeep([entry])).to.have.length(1))
  })

  it('the count of secrets that cannot be opened', async () => {
    const { announcer } = world()
    const sealer = {
      seal: silence<string>,
      open: () => Promise.reject(new Error('another key')),
    }
    const unreadable = new UnreadableSecrets(silentCounters, announcer)
    const vault = new Vault(sealer, DEFAULT_TIMEOUT, unreadable)
    const context = { purpose: 'authenticator', userId: USER, part: 'first' } as never
    await expectSooner(() => refusal(vault.open('sealed', context, NO_REQUEST)))
  })

  it('the claim of a removed token, which then counts for ten minutes', async () => {
    const { announcer, system } = world()
    const claim = {
      version: 1,
      writeId: 'w',
      serial: 'A',
      userId: USER,
      claimedAt: 0,
      keyName: 'k',
    }
    const stored = recordWith({ authenticators: [authenticatorWith({ serial: 'A' })], version: 1 })
    const store = {
      ...memoryStore(),
      find: async () => stored,
      write: async () => true,
      findSerial: async (serial: string) =>
        serial === 'A'
          ? { ...claim, isSettled: false }
          : { version: 1, writeId: 'w', serial, ofSerial: 'A', next: 0 },
      writeSerial: silence<boolean>,
    }
    const records = new Records(store, system, announcer, {
      production: false,
      timeout: DEFAULT_TIMEOUT,
    })
    const removed = async () => ({
      ...{ record: { ...stored, authenticators: [] }, answer: 'removed', events: [] },
    })
    await expectSooner(async () => {
      expect(await records.change(USER, requestInfo, removed, stored)).to.equal('removed')
    })
  })
})

it('a change that has lost a race waits for no place that it gives back', async () => {
  const { store, announcer, system } = world()
  const noted = { toKeep: async (all: readonly AuditEntry[]) => all, giveBack: silence<void> }
  const log = { append: silence<void>, list: silence<null> }
  const writeWith = {
    write: store.write,
    audit: log,
    run: async () => {
      store.stored = recordWith({ version: 1 })
      return ++runs > 1
    },
  }
  let runs = 0
  const records = new Records(Object.assign(store, { writeWith }), system, announcer, {
    production: false,
    timeout: DEFAULT_TIMEOUT,
    ownAudit: new Audit(log, DEFAULT_TIMEOUT, noted as unknown as NotedAttempts),
  })
  await records.change(USER, requestInfo, raising())
  expect(runs).to.equal(2)
})

it('close() waits for the places that are being given back', async () => {
  const counters = memoryCounters()
  const answers: (() => void)[] = []
  const slow: Counters = {
    ...counters,
    takeAll: () => new Promise((resolve) => answers.push(() => resolve([]))),
  }
  const tally = new Tally(slow)
  void tally.giveBack([{ counter: { name: 'narrow', seconds: 60 }, key: 'key', limit: 1 }])
  let isSettled = false
  const settled = tally.settle().then(() => {
    isSettled = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(isSettled).to.equal(false)
  for (const answer of answers) answer()
  await settled
})
