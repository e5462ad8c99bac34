// The attack: a code is used up, and the entry of it in the audit log fails on its own. And the mistake: a
// store that is made of another one writes entries into a log that nobody reads.

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { AuditLog, RecordStore } from '../../lib/index.js'
import { memoryAuditLog, memoryStore } from '../../lib/index.js'
import { wire } from '../../lib/wiring.js'
import { movedSystem } from '../support/clock.js'
import { USER } from '../support/records.js'
import { happened, raising, refusal, requestInfo } from './scripted-store.js'

function wiredTo(store: RecordStore, audit?: AuditLog) {
  const { records, announcer } = wire<{ id: string }>({
    issuer: 'Acme',
    origin: 'https://acme.example',
    keys: [randomBytes(32).toString('base64')],
    store,
    system: movedSystem(),
    ...(audit === undefined ? {} : { audit }),
  })
  const told: string[] = []
  announcer.events.on('event', ({ type }) => told.push(type))
  return { records, told }
}

const typesIn = async (log: AuditLog | undefined) =>
  ((await log?.list({ user: USER, cursor: null, limit: 100 }))?.entries ?? []).map(
    ({ type }) => type,
  )

/** A store whose writes with entries are counted, and fail when the test says so. */
function watched() {
  const memory = memoryStore()
  const state = { together: 0, fails: false, appended: 0 }
  const { write, writeWith } = memory
  const audit: AuditLog = {
    list: (query) => memory.audit?.list(query) ?? Promise.resolve(null),
    append: async (entries) => {
      state.appended += 1
      await memory.audit?.append(entries)
    },
  }
  const store: RecordStore = {
    ...memory,
    audit,
    writeWith: {
      write,
      audit,
      run: async (...args) => {
        state.together += 1
        if (state.fails) throw new Error('away')
        return writeWith?.run(...args) ?? false
      },
    },
  }
  return { store, state }
}

describe('a change and its entries in the audit log', () => {
  it('are written by one call where the store keeps the log, and told after it', async () => {
    const { store, state } = watched()
    const { records, told } = wiredTo(store)
    await records.change(USER, requestInfo, raising())
    expect(state).to.include({ together: 1, appended: 0 })
    expect(await typesIn(store.audit)).to.deep.equal([happened.type])
    expect(told).to.deep.equal([happened.type])
  })

  it('are neither there where that call fails, and nothing is told', async () => {
    const { store, state } = watched()
    const { records, told } = wiredTo(store)
    state.fails = true
    await refusal(records.change(USER, requestInfo, raising()))
    expect((await records.find(USER)).version).to.equal(0)
    expect(await typesIn(store.audit)).to.deep.equal([])
    expect(told).to.deep.equal([])
  })

  it('are one entry, however often the race for the record was lost', async () => {
    const { store } = watched()
    const { records, told } = wiredTo(store)
    const ten = Array.from({ length: 5 }, () => records.change(USER, requestInfo, raising()))
    await Promise.all(ten)
    expect((await records.find(USER)).version).to.equal(5)
    expect(await typesIn(store.audit)).to.have.length(5)
    expect(told).to.have.length(5)
  })

  it('are written one after the other where the host names another log', async () => {
    const { store, state } = watched()
    const log = memoryAuditLog()
    await wiredTo(store, log).records.change(USER, requestInfo, raising())
    expect(state.together).to.equal(0)
    expect(await typesIn(log)).to.deep.equal([happened.type])
    expect(await typesIn(store.audit)).to.deep.equal([])
  })

  it('are written by what the host has put in place of the store’s own write or log', async () => {
    const { store, state } = watched()
    const log = memoryAuditLog()
    await wiredTo({ ...store, audit: log }).records.change(USER, requestInfo, raising())
    expect(await typesIn(log)).to.deep.equal([happened.type])

    let written = 0
    const write: RecordStore['write'] = (record, expected) => {
      written += 1
      return store.write(record, expected)
    }
    await wiredTo({ ...store, write }).records.change(USER, requestInfo, raising())
    expect(written).to.equal(1)
    expect(state.together).to.equal(0)
  })
})
