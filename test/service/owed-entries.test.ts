// The attack: an admin or a thief with a session changes a second step while the audit log is silent. The change takes
// place, its request is refused, and whoever repeats it finds nothing to change: nobody ever reads of it in the log.

import { expect } from 'chai'
import type { SecondStepEvent } from '../../lib/domain/event.js'
import { raiseEpoch } from '../../lib/domain/stamp.js'
import type { AuditEntry, AuditLog } from '../../lib/ports/audit-log.js'
import { Announcer } from '../../lib/service/announcer.js'
import { Audit } from '../../lib/service/audit.js'
import type { NotedAttempts } from '../../lib/service/noted-attempts.js'
import { OwedEntries } from '../../lib/service/owed-entries.js'
import { Records } from '../../lib/service/records.js'
import { memoryAuditLog } from '../../lib/stores/memory-audit-log.js'
import { memoryStore } from '../../lib/stores/memory-store.js'
import { auditEntry } from '../support/audit-entry.js'
import { HOUR, movedSystem } from '../support/clock.js'
import { USER } from '../support/records.js'
import { refusal, requestInfo } from './scripted-store.js'

const disabled: SecondStepEvent = { type: 'disabled', method: null }
const NEVER = 24 * HOUR

type Failure = 'refuses' | 'takes and does not answer'

function world({ every = NEVER } = {}) {
  const system = movedSystem()
  const memory = memoryAuditLog()
  const state = { fails: null as Failure | null, appended: 0 }
  let tellOf: () => void = () => undefined
  const written = new Promise<void>((resolve) => {
    tellOf = resolve
  })
  const log: AuditLog = {
    ...memory,
    append: async (entries) => {
      state.appended += 1
      if (state.fails !== 'refuses') await memory.append(entries)
      if (state.fails !== null) throw new Error('away')
      tellOf()
    },
  }
  const reported: string[] = []
  const report = (error: unknown) => void reported.push(String(error))
  const given: AuditEntry[] = []
  const noted = {
    toKeep: async (entries: readonly AuditEntry[]) => entries,
    giveBack: async (entries: readonly AuditEntry[]) => void given.push(...entries),
  } as unknown as NotedAttempts
  const audit = new Audit(log, 1000, noted, null, { system, report, every })
  const announcer = new Announcer(system, audit)
  const store = { ...memoryStore() }
  // As for a database: its log gets the entries after the write.
  delete store.writeWith
  const records = new Records(store, system, announcer, { production: false, timeout: 1000 })
  const change = (events: readonly SecondStepEvent[], changes = true) =>
    records.change(USER, requestInfo, (record) => {
      return { record: changes ? raiseEpoch(record) : record, answer: null, events }
    })
  const changePolicy = () =>
    records.changePolicy(requestInfo, (policy) => {
      const isMade = policy.graceDays === 3
      const detail = { changed: { graceDays: 3 }, before: { graceDays: policy.graceDays } }
      const changed: SecondStepEvent = { type: 'policy-changed', method: null, detail }
      const events = isMade ? [] : [changed]
      return { policy: isMade ? policy : { ...policy, graceDays: 3 }, answer: null, events }
    })
  const typesIn = async () => {
    const page = await memory.list({ user: null, cursor: null, limit: 100 })
    return page?.entries.map(({ type }) => type)
  }
  const reading = { log, state, reported, given, written, typesIn }
  return { ...reading, system, audit, announcer, change, changePolicy }
}

describe('a change whose entry the audit log does not take', () => {
  it('has it once the log goes on, though its request was refused and its repetition changes nothing', async () => {
    const { state, changePolicy, written, typesIn } = world({ every: 5 })
    state.fails = 'refuses'
    await refusal(changePolicy())
    await changePolicy()
    expect(await typesIn()).to.deep.equal([])
    state.fails = null
    await written
    expect(await typesIn()).to.deep.equal(['policy-changed'])
  })

  it('has it at the end of the process at the latest', async () => {
    const { state, change, audit, typesIn } = world()
    state.fails = 'refuses'
    await refusal(change([disabled]))
    state.fails = null
    await audit.settle()
    expect(await typesIn()).to.deep.equal(['disabled'])
  })

  it('has it once where the log has taken it after all', async () => {
    const { state, change, audit, typesIn } = world()
    state.fails = 'takes and does not answer'
    await refusal(change([disabled]))
    state.fails = null
    await audit.settle()
    expect(await typesIn()).to.deep.equal(['disabled'])
    expect(state.appended).to.equal(1)
  })

  it('takes none of its places among the day’s entries back', async () => {
    const { state, change, given } = world()
    state.fails = 'refuses'
    await refusal(change([{ type: 'wrong-code', method: 'totp' }, disabled]))
    expect(given.map(({ type }) => type)).to.deep.equal(['wrong-code'])
  })
})

describe('nothing is written later', () => {
  // Somebody who has a password could fill the memory with them, and leave no room for changes.
  it('of attempts', async () => {
    const { state, change, audit, typesIn } = world()
    state.fails = 'refuses'
    await refusal(change([{ type: 'wrong-code', method: 'totp' }]))
    state.fails = null
    await audit.settle()
    expect(await typesIn()).to.deep.equal([])
  })

  it('of what was refused before it took place', async () => {
    const { state, change, announcer, audit, typesIn } = world()
    state.fails = 'refuses'
    await refusal(announcer.announce(USER, [{ type: 'note', method: null }], requestInfo))
    await refusal(change([disabled], false))
    state.fails = null
    await audit.settle()
    expect(await typesIn()).to.deep.equal([])
  })
})

describe('entries that the audit log does not take for long', () => {
  it('are given up after an hour, and the operator is told of which types', async () => {
    const { log, state, system, reported } = world()
    const report = (error: unknown) => void reported.push(String(error))
    const owed = new OwedEntries(log, system, { every: NEVER, report })
    state.fails = 'refuses'
    owed.add([auditEntry(USER, 'enrolled')])
    system.advance(HOUR - 1)
    await owed.look()
    expect(reported).to.deep.equal([])
    system.advance(1)
    await owed.look()
    const count = '1 entries of changes that took place (enrolled)'
    expect(reported).to.deep.equal([`Error: the audit log has not taken ${count}: given up`])
    await owed.look()
    expect(state.appended).to.equal(1)
  })

  it('keep no others waiting, and are a thousand changes at most', async () => {
    const { log, system, reported } = world()
    const report = (error: unknown) => void reported.push(String(error))
    const taken: string[] = []
    const append: AuditLog['append'] = async ([entry]) => {
      if (entry?.type === 'enrolled') throw new Error('too long')
      taken.push(entry?.type ?? '')
    }
    const owed = new OwedEntries({ ...log, append }, system, { every: NEVER, report })
    owed.add([auditEntry(USER, 'enrolled')])
    for (let count = 0; count < 999; count += 1) owed.add([auditEntry(USER, 'disabled')])
    expect(reported).to.deep.equal([])
    owed.add([auditEntry(USER, 'reset')])
    expect(reported.join()).to.include('(reset)')
    await owed.look()
    expect(taken).to.deep.equal([])
    await owed.stop()
    expect(taken).to.have.length(999)
    expect(reported).to.have.length(2)
    expect(reported[1]).to.include('(enrolled)')
  })
})
