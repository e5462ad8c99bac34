import { expect } from 'chai'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import type { RecordStore } from '../../lib/ports/record-store.js'
import { memoryStore } from '../../lib/stores/memory-store.js'
import { recordStoreCases } from '../../lib/testing/index.js'

/** Names of the cases that a store fails. */
async function failedCases(
  makeStore: () => RecordStore,
  lose?: (userId: string) => Promise<unknown>,
): Promise<readonly string[]> {
  const failed: string[] = []
  for (const { name, run } of recordStoreCases) {
    const another = { noneBecause: 'a store made to fail' }
    const losing = lose === undefined ? {} : { lose }
    const under = () => ({ store: makeStore(), another, ...losing })
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

/** Answers "whose reset by mail is due" in its own way: `isListed` says who is in that list. */
function listsResets(isListed: (record: SecondStepRecord, now: number) => boolean) {
  return (): RecordStore => {
    const store = memoryStore()
    return {
      ...store,
      async list(query) {
        if (query.list !== 'mail-resets-due') return store.list(query)
        const page = await store.list({ ...query, list: 'all', cursor: null, limit: 100 })
        const records = page?.records.filter((record) => isListed(record, query.now)) ?? []
        return { records: records.slice(0, query.limit), next: null }
      },
    }
  }
}

function remembersThePolicy(): RecordStore {
  const store = memoryStore()
  let policy: ReturnType<RecordStore['findPolicy']> | undefined
  return {
    ...store,
    async read(userId) {
      policy ??= store.findPolicy()
      return { record: await store.find(userId), policy: await policy }
    },
  }
}

function losesInSilence() {
  const lost = new Set<string>()
  return {
    lose: async (userId: string) => lost.add(userId),
    store(): RecordStore {
      lost.clear()
      const store = memoryStore()
      return {
        ...store,
        find: async (userId) => (lost.has(userId) ? null : store.find(userId)),
        write: async (record, version) =>
          lost.has(record.userId) || (await store.write(record, version)),
      }
    },
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

  // A mail that never comes leaves its owner without a way in; one too early names a dead link.
  it('finds a store that lists resets by mail too early, too long or not at all', async () => {
    const isWaiting = ({ mailReset }: SecondStepRecord) => mailReset?.readyTold === false
    const early = await failedCases(listsResets(isWaiting))
    const moment = 'a reset by mail is due from its moment on, to the millisecond'
    expect(early).to.include.members([
      moment,
      'pages of resets meet everybody once, and nobody who is not due',
    ])
    const long = await failedCases(
      listsResets(({ mailReset }, now) => mailReset !== null && mailReset.usableAt <= now),
    )
    expect(long).to.include.members([
      moment,
      'a reset by mail that was told, put off or ended is not due',
    ])
    const enrolled = await failedCases(
      listsResets(
        (record, now) =>
          isWaiting(record) &&
          record.authenticators.length > 0 &&
          (record.mailReset?.usableAt ?? 0) <= now,
      ),
    )
    expect(enrolled).to.include('a reset by mail is due in any state, without an authenticator too')
    expect(await failedCases(listsResets(() => false))).to.include(moment)
  })

  // A policy that is read once for all: a rule that an admin has tightened binds nobody.
  it('finds a store that reads an old policy, or another record, together', async () => {
    const name = 'record and policy are read together as they are apart'
    expect(await failedCases(remembersThePolicy)).to.deep.equal([name])
    const another = () => {
      const store = memoryStore()
      const read = async () => ({ record: await store.find('user'), policy: null })
      return { ...store, read }
    }
    expect(await failedCases(another)).to.deep.equal([name])
  })

  it('finds a store that takes a lost record for one that was never written', async () => {
    const { store, lose } = losesInSilence()
    expect(await failedCases(() => store(), lose)).to.deep.equal([
      'a lost record is a failure, to read and to write',
      'a lost record is named by lists, and keeps nobody from the others',
    ])
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
