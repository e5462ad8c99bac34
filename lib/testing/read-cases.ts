import { strict as assert } from 'node:assert'
import type { RecordStore } from '../ports/record-store.js'
import { enrolledRecord, nextVersion, thePolicy } from './documents.js'
import { type StoreCase, storeCase } from './store-under-test.js'

/** The optional `read` says what `find` and `findPolicy` say, now and not as it was. */
async function assertReadTogether(store: RecordStore, userId: string): Promise<void> {
  if (store.read === undefined) return
  const apart = { record: await store.find(userId), policy: await store.findPolicy() }
  assert.deepEqual(await store.read(userId), apart)
  assert.deepEqual(await store.read(userId, { atLogin: true }), apart)
}

/** The optional `findMany` says of each user what `find` says, and of one who was lost that it is. */
async function assertFoundTogether(store: RecordStore, userIds: readonly string[]): Promise<void> {
  if (store.findMany === undefined) return
  const apart = await Promise.allSettled(userIds.map((userId) => store.find(userId)))
  const together = await store.findMany(userIds)
  assert.deepEqual(together.map(known), apart.map(known))
}

/** Without the errors: their words may differ. */
function known(found: PromiseSettledResult<unknown>): object {
  return found.status === 'fulfilled' ? found : { status: found.status }
}

/** A record and the policy in one trip, where the store has it. */
export const readCases: readonly StoreCase[] = [
  storeCase('record and policy are read together as they are apart', async (store, another) => {
    const policy = thePolicy.make(1)
    const record = enrolledRecord('user', 1)
    const assertEverywhere = async () => {
      for (const reader of [store, another]) {
        for (const id of ['user', 'nobody']) await assertReadTogether(reader, id)
      }
    }
    await assertEverywhere()
    await store.write(record, 0)
    await assertEverywhere()
    await another.writePolicy(policy, 0)
    await assertEverywhere()
    await another.write(nextVersion(record, { epoch: 9 }), 1)
    await assertEverywhere()
    await store.writePolicy(thePolicy.make(2), 1)
    await assertEverywhere()
  }),

  storeCase('records of many are found together as they are apart', async (store, another) => {
    const ids = Array.from({ length: 100 }, (_, index) => `user ${index}`)
    for (const id of ids.filter((_, index) => index % 3 !== 0)) {
      await store.write(enrolledRecord(id, 1), 0)
    }
    await store.write(nextVersion(enrolledRecord('user 1', 1), { epoch: 9 }), 1)
    for (const reader of [store, another]) {
      await assertFoundTogether(reader, ids)
      await assertFoundTogether(reader, ['user 3', 'user 2', '__proto__', 'user 2'])
      await assertFoundTogether(reader, [])
    }
  }),

  storeCase('a lost record hides no other of many', async (store, _another, lose) => {
    if (lose === undefined || store.findMany === undefined) return
    await store.write(enrolledRecord('lost', 1), 0)
    await store.write(enrolledRecord('kept', 1), 0)
    await lose('lost')
    const found = await store.findMany(['kept', 'lost', 'never written'])
    assert.deepEqual(
      found.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
  }),

  storeCase('a lost record is a failure, also with the policy', async (store, _another, lose) => {
    if (lose === undefined || store.read === undefined) return
    await store.write(enrolledRecord('lost', 1), 0)
    await store.writePolicy(thePolicy.make(1), 0)
    await lose('lost')
    await assert.rejects(store.read('lost'))
    await assert.rejects(store.read('lost', { atLogin: true }))
    assert.equal((await store.read('never written')).record, null)
  }),
]
