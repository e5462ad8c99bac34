import { strict as assert } from 'node:assert'
import { enrolledRecord, largeRecord } from './documents.js'
import { type StoreCase, storeCase } from './store-under-test.js'

const ODD_IDS = [
  ...['*', '?', 'a:b', 'a', 'b', '{a}', '%', '_', "'", '"', '\\', ' ', '  ', '../a', 'policy'],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', 'undefined'],
  ...['1', '01', '1.0', '1e0', 'id', 'ID', 'id ', 'id\n', 'id\r\n', '\n'],
  ...['é', 'e\u0301', 'ß', 'ss', '\u{1f511}', 'x'.repeat(1000), 'x'.repeat(1001)],
] as const

/** Ids are compared as they are: no wildcard, no case folding, no trimming, no prototype. */
export const userIdCases: readonly StoreCase[] = [
  storeCase('nobody with an odd id has a record before it is written', async (store) => {
    await store.write(enrolledRecord('somebody', 1), 0)
    for (const id of ODD_IDS) assert.equal(await store.find(id), null, JSON.stringify(id))
  }),

  storeCase('records of odd ids stay apart', async (store) => {
    const records = ODD_IDS.map((id) => enrolledRecord(id, 1))
    for (const record of records) {
      assert.equal(await store.write(record, 0), true, JSON.stringify(record.userId))
    }
    for (const record of records) {
      assert.deepEqual(await store.find(record.userId), record, JSON.stringify(record.userId))
    }
  }),

  storeCase("one user's write leaves the others' records and the policy alone", async (store) => {
    const other = enrolledRecord('other', 1)
    await store.write(other, 0)
    await store.write(enrolledRecord('user', 1), 0)
    await store.write(enrolledRecord('user', 2), 1)
    assert.deepEqual(await store.find('other'), other)
    assert.equal(await store.findPolicy(), null)
  }),

  storeCase('a record as large as records get is kept whole', async (store) => {
    const record = largeRecord('user')
    assert.equal(await store.write(record, 0), true)
    assert.deepEqual(await store.find('user'), record)
  }),
]
