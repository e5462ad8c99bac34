import { strict as assert } from 'node:assert'
import type { Kind } from './documents.js'
import { type StoreCase, storeCase } from './store-under-test.js'

/** Cases for records and for the policy alike: writing by compare-and-set. */
export function compareAndSetCases<
  D extends { readonly version: number; readonly writeId: string },
>(kind: Kind<D>): readonly StoreCase[] {
  const { make, find, write } = kind
  const named = (name: string) => `${kind.name}: ${name}`

  return [
    storeCase(named('nothing written reads as null'), async (store) => {
      assert.equal(await find(store), null)
    }),

    storeCase(named('what was written is read, by other adapters too'), async (store, another) => {
      const first = make(1)
      assert.equal(await write(store, first, 0), true)
      assert.deepEqual(await find(store), first)
      assert.deepEqual(await find(another), first)
      const second = make(2)
      assert.equal(await write(another, second, 1), true)
      assert.deepEqual(await find(store), second)
    }),

    storeCase(named('a write that expects none is refused where one is stored'), async (store) => {
      const stored = make(1)
      await write(store, stored, 0)
      assert.equal(await write(store, make(1), 0), false)
      assert.deepEqual(await find(store), stored)
    }),

    storeCase(named('a write that expects one is refused where none is stored'), async (store) => {
      assert.equal(await write(store, make(6), 5), false)
      assert.equal(await find(store), null)
    }),

    storeCase(named('a write that expects another version is refused'), async (store) => {
      const stored = make(2)
      await write(store, make(1), 0)
      await write(store, stored, 1)
      for (const expected of [0, 1, 3]) {
        assert.equal(await write(store, make(expected + 1), expected), false)
        assert.deepEqual(await find(store), stored)
      }
    }),

    storeCase(
      named('a write whose answer was lost is sent again: true'),
      async (store, another) => {
        const lost = make(1)
        await write(store, lost, 0)
        assert.equal(await write(store, lost, 0), true)
        assert.equal(await write(another, lost, 0), true)
        assert.deepEqual(await find(store), lost)

        const update = make(2)
        await write(store, update, 1)
        assert.equal(await write(another, update, 1), true)
        assert.equal(await write(store, make(2), 1), false, 'a rival is still refused')
        assert.deepEqual(await find(store), update)
      },
    ),

    storeCase(named('a resent write comes too late after another: false'), async (store) => {
      const early = make(1)
      const late = make(2)
      await write(store, early, 0)
      await write(store, late, 1)
      assert.equal(await write(store, early, 0), false)
      assert.deepEqual(await find(store), late)
    }),

    storeCase(named('what is read is a plain copy'), async (store) => {
      const written = make(1)
      await write(store, written, 0)
      const copy = await find(store)
      assertPlain(copy)
      overwrite(copy)
      assert.deepEqual(await find(store), written)
    }),
  ]
}

/** JSON's own kinds of value, with no prototype that could answer for a missing field. */
function assertPlain(value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    assert.ok(['string', 'number', 'boolean', 'object'].includes(typeof value), String(value))
    return
  }
  const plain = Array.isArray(value) ? Array.prototype : Object.prototype
  assert.equal(Object.getPrototypeOf(value), plain)
  for (const part of Object.values(value)) assertPlain(part)
}

function overwrite(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const [key, part] of Object.entries(value)) {
    overwrite(part)
    Reflect.set(value, key, 'overwritten')
  }
}
