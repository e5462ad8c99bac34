import { strict as assert } from 'node:assert'
import { enrolledRecord } from './documents.js'
import { type StoreCase, storeCase } from './store-under-test.js'

const FIRST_PAGE = { list: 'all', cursor: null, limit: 100, now: 0 } as const

/** A lost record must not read as "not enrolled": the password alone would open the account. */
export const lostRecordCases: readonly StoreCase[] = [
  storeCase('a lost record is a failure, to read and to write', async (store, another, lose) => {
    if (lose === undefined) return
    await store.write(enrolledRecord('lost', 1), 0)
    await lose('lost')
    await assert.rejects(store.find('lost'))
    await assert.rejects(another.find('lost'))
    await assert.rejects(store.write(enrolledRecord('lost', 1), 0))
    await assert.rejects(store.find('lost'), 'also after it was tried to write it anew')
    assert.equal(await store.find('never written'), null)
  }),

  storeCase(
    'a lost record is named by lists, and keeps nobody from the others',
    async (store, _another, lose) => {
      if (lose === undefined) return
      await store.write(enrolledRecord('lost', 1), 0)
      await store.write(enrolledRecord('kept', 1), 0)
      await lose('lost')
      const page = await store.list(FIRST_PAGE)
      assert.deepEqual(
        page?.records.map(({ userId }) => userId),
        ['kept'],
      )
      assert.equal(page?.lost?.length, 1)
    },
  ),
]
