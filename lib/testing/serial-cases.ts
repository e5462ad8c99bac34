import { strict as assert } from 'node:assert'
import { compareAndSetCases } from './compare-and-set-cases.js'
import { aSerial, enrolledRecord, serialClaim } from './documents.js'
import { raceCases } from './race-cases.js'
import { type StoreCase, storeCase } from './store-under-test.js'

/** Serial numbers of hardware tokens. A store without `findSerial` and `writeSerial` passes. */
export const serialCases: readonly StoreCase[] = [
  storeCase('serial numbers are found and written, or neither', async (store) => {
    assert.equal(typeof store.findSerial, typeof store.writeSerial)
  }),
  ...[
    ...compareAndSetCases(aSerial),
    ...raceCases(aSerial),
    storeCase('the claim of a key is kept under its name, whole', async (store) => {
      const name = ` KEY:${'0'.repeat(48)}`
      for (const [index, next] of [null, 0, 2 ** 52].entries()) {
        const claim = { serial: name, version: index + 1, writeId: `${index}`, ofSerial: 'A', next }
        assert.equal(await store.writeSerial?.(claim, index), true)
        assert.deepEqual(await store.findSerial?.(name), claim)
      }
      assert.equal(await store.findSerial?.(name.trim()), null)
    }),
    storeCase('a serial number is no other, and no user', async (store) => {
      for (const serial of [
        'A-1',
        'A-10',
        'A 1',
        ' A 1',
        '*',
        '1',
        '__PROTO__',
        'USER-1',
        'POLICY',
      ]) {
        assert.equal(await store.findSerial?.(serial), null)
        assert.equal(await store.writeSerial?.(serialClaim(serial, 1), 0), true)
        assert.equal((await store.findSerial?.(serial))?.serial, serial)
      }
      assert.equal(await store.find('USER-1'), null)
      assert.equal(await store.findPolicy(), null)
      const record = enrolledRecord('A-1', 1)
      assert.equal(await store.write(record, 0), true)
      assert.equal((await store.findSerial?.('A-1'))?.version, 1)
    }),
  ].map(whereThereAreSerials),
]

function whereThereAreSerials(one: StoreCase): StoreCase {
  return {
    name: one.name,
    async run(makeStore) {
      const under = await makeStore()
      if (under.store.findSerial === undefined) await under.release?.()
      else await one.run(() => under)
    },
  }
}
