// The attack: somebody slows the store down while they turn a second step off. The request is refused,
// its statement waits in a connection and is carried out a moment later, and nobody is told.

import { once } from 'node:events'
import { expect } from 'chai'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { memoryStore } from '../../lib/index.js'
import type { RecordStore } from '../../lib/ports/record-store.js'
import { type AnnouncedEvent, Announcer } from '../../lib/service/announcer.js'
import { Audit } from '../../lib/service/audit.js'
import { Records } from '../../lib/service/records.js'
import { memoryAuditLog } from '../../lib/stores/memory-audit-log.js'
import { HOUR, MINUTE, movedSystem } from '../support/clock.js'
import { USER } from '../support/records.js'
import { warningsDuring } from '../support/warnings.js'
import { happened, raising, refusal, requestInfo } from './scripted-store.js'

type Late = 'silent' | 'confirmed' | 'rejected'

/** A store that keeps a write back when it is told to, and carries it out later. */
class LateStore {
  readonly memory = memoryStore()
  readonly late: (() => Promise<unknown>)[] = []
  finds = 0
  away = false
  next: Late | null = null
  readonly store: RecordStore = {
    ...this.memory,
    find: async (userId) => {
      this.finds += 1
      if (this.away) throw new Error('away')
      return this.memory.find(userId)
    },
    write: (record, version) => this.#send(() => this.memory.write(record, version)),
    writePolicy: (policy, version) => this.#send(() => this.memory.writePolicy(policy, version)),
  }

  async #send(write: () => Promise<boolean>): Promise<boolean> {
    const { next } = this
    this.next = null
    if (next === null) return write()
    if (next === 'rejected') {
      this.late.push(write)
      throw new Error('Command timed out')
    }
    return new Promise((resolve) => {
      this.late.push(async () => {
        const answer = await write()
        if (next === 'confirmed') resolve(answer)
        // Else it never answers.
      })
    })
  }

  async carryOut(): Promise<void> {
    for (const write of this.late.splice(0)) await write()
  }
}

function world({ lookEvery = 5 }: { lookEvery?: number } = {}) {
  const system = movedSystem()
  const store = new LateStore()
  const audit = memoryAuditLog()
  const announcer = new Announcer(system, new Audit(audit, 1000))
  const announced: AnnouncedEvent[] = []
  announcer.events.on('event', (event) => announced.push(event))
  const environment = { production: false, timeout: 50, lookEvery }
  const records = new Records(store.store, system, announcer, environment)
  const told = () => once(announcer.events, 'event')
  const logged = async () => (await audit.list({ user: USER, cursor: null, limit: 9 }))?.entries
  const refused = (late: Late) => {
    store.next = late
    return refusal(records.change(USER, requestInfo, raising()))
  }
  return { system, store, audit, announced, records, told, logged, refused }
}

/** Nobody looks by itself in these: the test does. */
const byHand = () => world({ lookEvery: HOUR })

describe('a write that the store carries out after its request was refused', () => {
  for (const late of ['silent', 'rejected'] as const) {
    it(`is found in the record and told once where the store is ${late}`, async () => {
      const { store, announced, records, told, logged, refused } = world()
      await refused(late)
      expect(announced).to.deep.equal([])
      const event = told()
      await store.carryOut()
      await event
      await records.settle()
      expect(announced).to.have.length(1)
      expect(announced[0]).to.include({ ...happened, ...requestInfo, user: USER })
      expect(await logged()).to.have.length(1)
    })
  }

  it('is told without a look where the store confirms it late', async () => {
    const { store, announced, records, told, refused } = byHand()
    await refused('confirmed')
    const event = told()
    await store.carryOut()
    await event
    await records.settle()
    expect(announced).to.have.length(1)
  })

  it('is told although the next change of the record follows at once', async () => {
    const { store, announced, records, refused } = byHand()
    await refused('rejected')
    await store.carryOut()
    expect(await records.change(USER, { ...requestInfo, ip: '192.0.2.9' }, raising())).to.equal(
      'epoch 2',
    )
    await records.settle()
    expect(announced.map(({ ip }) => ip).sort()).to.deep.equal(['192.0.2.1', '192.0.2.9'])
  })

  it('is told where a read has met it before its own time was over', async () => {
    const { store, announced, records } = byHand()
    store.next = 'silent'
    const refused = refusal(records.change(USER, requestInfo, raising()))
    while (store.late.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await store.carryOut()
    await records.change(USER, requestInfo, raising())
    await refused
    await records.settle()
    expect(announced).to.have.length(2)
  })

  it('is told for the policy too', async () => {
    const { store, announced, records, told } = world()
    store.next = 'rejected'
    const changed = records.changePolicy(requestInfo, (policy) => {
      return { policy: { ...policy, graceDays: 3 }, answer: null, events: [happened] }
    })
    await refusal(changed)
    const event = told()
    await store.carryOut()
    await event
    await records.settle()
    expect(announced).to.have.length(1)
    expect(announced[0]).to.include({ ...requestInfo, user: null })
  })

  it('is told at the end of the process at the latest, if it can be seen by then', async () => {
    const { store, announced, records, refused } = byHand()
    await refused('rejected')
    await store.carryOut()
    await records.settle()
    expect(announced).to.have.length(1)
  })

  it('is told after a store that was away for minutes', async () => {
    const { system, store, announced, records, refused } = byHand()
    await refused('rejected')
    store.away = true
    for (let minute = 0; minute < 5; minute += 1) {
      system.advance(MINUTE)
      await records.lookForLateWrites()
    }
    store.away = false
    await store.carryOut()
    await records.settle()
    expect(announced).to.have.length(1)
  })

  const others = (store: LateStore) => {
    const environment = { production: false, timeout: 50 }
    const system = movedSystem()
    return new Records(store.store, system, new Announcer(system), environment)
  }

  it('is told although another process has written over it before it was found', async () => {
    const { store, announced, records, refused } = byHand()
    await refused('rejected')
    await store.carryOut()
    const other = others(store)
    for (let round = 0; round < 6; round += 1) await other.change(USER, requestInfo, raising())
    await records.settle()
    expect(announced).to.have.length(1)
  })

  it('is not told where so much was written over it that nobody can know', async () => {
    const { store, announced, records, refused } = byHand()
    await refused('rejected')
    await store.carryOut()
    const other = others(store)
    for (let round = 0; round < 25; round += 1) await other.change(USER, requestInfo, raising())
    await records.settle()
    expect(announced).to.deep.equal([])
    const before = store.finds
    await records.lookForLateWrites()
    expect(store.finds).to.equal(before)
  })

  it('is not told where another write came first, and it came to nothing', async () => {
    const { store, announced, records, refused } = byHand()
    await refused('rejected')
    await others(store).change(USER, requestInfo, raising())
    await store.carryOut()
    await records.settle()
    expect(announced).to.deep.equal([])
  })

  it('fails in the background with a warning where the audit log fails', async () => {
    const { store, audit, records, refused } = byHand()
    audit.append = () => Promise.reject(new Error('the log is full'))
    const warnings = await warningsDuring(async () => {
      await refused('rejected')
      await store.carryOut()
      await records.settle()
    })
    expect(warnings.join()).to.include('the audit log is not available')
  })
})

describe('a write that never takes place', () => {
  it('is told to nobody, and is looked for during a minute', async () => {
    const { system, store, announced, records, refused } = byHand()
    await refused('rejected')
    await records.lookForLateWrites()
    system.advance(MINUTE - 1)
    await records.lookForLateWrites()
    expect(store.finds).to.equal(3)
    system.advance(1)
    await records.lookForLateWrites()
    await records.lookForLateWrites()
    expect(store.finds).to.equal(4)
    expect(announced).to.deep.equal([])
  })

  it('is forgotten after a quarter of an hour, also where the store never comes back', async () => {
    const { system, store, records, refused } = byHand()
    await refused('rejected')
    store.away = true
    system.advance(15 * MINUTE - 1)
    await records.lookForLateWrites()
    system.advance(1)
    await records.lookForLateWrites()
    expect(store.finds).to.equal(2)
  })

  it('is asked for once a look where the store is away, however many there are', async () => {
    const { store, records, refused } = byHand()
    for (let round = 0; round < 5; round += 1) await refused('rejected')
    store.away = true
    const before = store.finds
    await records.lookForLateWrites()
    expect(store.finds).to.equal(before + 1)
  })

  it('is not looked for where nothing is to be told', async () => {
    const { store, records } = byHand()
    store.next = 'rejected'
    const decide = (record: SecondStepRecord) => ({ ...raising()(record), events: [] })
    await refusal(records.change(USER, requestInfo, decide))
    await records.lookForLateWrites()
    expect(store.finds).to.equal(1)
  })

  it('is one of a thousand at most', async () => {
    const { store, records, refused } = byHand()
    for (let round = 0; round < 1001; round += 1) await refused('rejected')
    const before = store.finds
    await records.lookForLateWrites()
    expect(store.finds).to.equal(before + 1000)
  })
})
