import { expect } from 'chai'
import type { RecordStore } from '../../lib/ports/record-store.js'
import { memoryStore } from '../../lib/stores/memory-store.js'
import { recordStoreCases } from '../../lib/testing/index.js'

/** Names of the cases that a store fails. */
async function failedCases(makeStore: () => RecordStore): Promise<readonly string[]> {
  const failed: string[] = []
  for (const { name, run } of recordStoreCases) {
    const under = () => ({ store: makeStore(), another: { noneBecause: 'a store made to fail' } })
    await run(under).catch(() => failed.push(name))
  }
  return failed
}

const tick = () => new Promise<void>((resolve) => setImmediate(resolve))

function checksThenWrites(): RecordStore {
  const records = new Map<string, string>()
  return {
    ...memoryStore(),
    async find(userId) {
      const json = records.get(userId)
      return json === undefined ? null : JSON.parse(json)
    },
    async write(record, expectedVersion) {
      const stored = await this.find(record.userId)
      await tick()
      if (stored?.writeId === record.writeId) return true
      if ((stored?.version ?? 0) !== expectedVersion) return false
      records.set(record.userId, JSON.stringify(record))
      return true
    },
  }
}

function forgetsResentWrites(): RecordStore {
  const store = memoryStore()
  return {
    ...store,
    async write(record, expectedVersion) {
      const stored = await store.find(record.userId)
      if ((stored?.version ?? 0) !== expectedVersion) return false
      return store.write(record, expectedVersion)
    },
  }
}

function foldsCase(): RecordStore {
  const store = memoryStore()
  return {
    ...store,
    find: (userId) => store.find(userId.toLowerCase()),
    write: (record, version) =>
      store.write({ ...record, userId: record.userId.toLowerCase() }, version),
  }
}

function handsOutItsOwnObject(): RecordStore {
  const store = memoryStore()
  const records = new Map<string, unknown>()
  return {
    ...store,
    async find(userId) {
      const found = await store.find(userId)
      if (!records.has(userId)) records.set(userId, found)
      return records.get(userId) as typeof found
    },
  }
}

function saysTrueToAll(): RecordStore {
  const store = memoryStore()
  return {
    ...store,
    write: async (record, version) => (await store.write(record, version)) || true,
  }
}

describe('recordStoreCases', () => {
  it('passes a store that gets it right', async () => {
    expect(await failedCases(memoryStore)).to.deep.equal([])
  })

  it('finds a store that checks and then writes', async () => {
    expect(await failedCases(checksThenWrites)).to.include.members([
      'a record: of 20 first writes one wins',
      'a record: of two updates one wins, 100 times',
    ])
  })

  it('finds a store that does not know its own write when it is sent again', async () => {
    expect(await failedCases(forgetsResentWrites)).to.deep.equal([
      'a record: a write whose answer was lost is sent again: true',
    ])
  })

  it('finds a store that takes two users for one', async () => {
    expect(await failedCases(foldsCase)).to.include('records of odd ids stay apart')
  })

  it('finds a store that hands out what it keeps', async () => {
    expect(await failedCases(handsOutItsOwnObject)).to.include(
      'a record: what is read is a plain copy',
    )
  })

  it('finds a store that answers true to a write it refused', async () => {
    expect(await failedCases(saysTrueToAll)).to.include(
      'a record: a write that expects another version is refused',
    )
  })

  it('releases what the factory made, also where a case fails', async () => {
    let released = 0
    const release = async () => {
      released += 1
    }
    const store: RecordStore = { ...memoryStore(), find: () => Promise.reject(new Error('away')) }
    await recordStoreCases[0]
      ?.run(() => ({ store, another: { noneBecause: 'it fails anyway' }, release }))
      .catch(() => undefined)
    expect(released).to.equal(1)
  })
})
