import { strict as assert } from 'node:assert'
import type { RecordStore } from '../ports/record-store.js'
import { enrolledRecord, nextVersion, thePolicy } from './documents.js'
import { type StoreCase, storeCase } from './store-under-test.js'

/** The optional `read` says what `find` and `findPolicy` say, now and not as it was. */
async function assertReadTogether(store: RecordStore, userId: string): Promise<void> {
  if (store.read === undefined) return
  const apart = { record: await store.find(userId), policy: await store.findPolicy() }
  assert.deepEqual(await store.read(userId), apart)
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

  storeCase('a lost record is a failure, also with the policy', async (store, _another, lose) => {
    if (lose === undefined || store.read === undefined) return
    await store.write(enrolledRecord('lost', 1), 0)
    await store.writePolicy(thePolicy.make(1), 0)
    await lose('lost')
    await assert.rejects(store.read('lost'))
    assert.equal((await store.read('never written')).record, null)
  }),
]
