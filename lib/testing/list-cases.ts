import { strict as assert } from 'node:assert'
import type { RecordStore } from '../ports/record-store.js'
import { enrolledRecord, nextVersion } from './documents.js'
import { assertLists, FOREVER, idsIn, LISTS, NOW, put } from './listed.js'
import { type StoreCase, storeCase } from './store-under-test.js'

async function putOneOfEachKind(store: RecordStore): Promise<void> {
  await put(store, 'both', { lockedUntil: NOW + 1, pausedUntil: NOW + 1 })
  await put(store, 'locked', { lockedUntil: NOW + 5 })
  await put(store, 'off', { authenticators: [] })
  await put(store, 'on')
  await put(store, 'on-again', { lockedUntil: NOW, pausedUntil: NOW - 1 })
  await put(store, 'paused', { pausedUntil: FOREVER })
}

/** Pages of records by state. */
export const listCases: readonly StoreCase[] = [
  storeCase('lists are empty while nothing is written', (store) => assertLists(store, {})),

  storeCase('a record is in the lists of its state, locked before paused', async (store, other) => {
    await putOneOfEachKind(store)
    await assertLists(other, {
      all: 'both locked off on on-again paused',
      enrolled: 'both locked on on-again paused',
      on: 'on on-again',
      paused: 'paused',
      locked: 'both locked',
    })
  }),

  storeCase('a lock and a pause end by themselves, to the millisecond', async (store) => {
    await putOneOfEachKind(store)
    const always = {
      all: 'both locked off on on-again paused',
      enrolled: 'both locked on on-again paused',
    }
    const after = { ...always, on: 'both on on-again', paused: 'paused', locked: 'locked' }
    await assertLists(store, after, NOW + 1)
    const before = { ...always, on: 'on', paused: 'paused', locked: 'both locked on-again' }
    await assertLists(store, before, NOW - 1)
  }),

  storeCase('a lock that ended between two pages is on neither', async (store) => {
    for (const later of [1, 2, 3, 4]) {
      await put(store, `user-${later}`, { lockedUntil: NOW + later })
    }
    const met: string[] = []
    let [cursor, now]: [string | null, number] = [null, NOW]
    do {
      const page = await store.list({ list: 'locked', cursor, limit: 1, now })
      for (const { userId, lockedUntil } of page?.records ?? []) {
        assert.ok(lockedUntil !== null && lockedUntil > now, `${userId} is locked no more`)
        met.push(userId)
      }
      cursor = page?.next ?? null
      now = NOW + 3
    } while (cursor !== null)
    assert.ok(met.includes('user-4'), met.join(' '))
  }),

  storeCase('a list has the whole record', async (store) => {
    const record = await put(store, 'user')
    for (const list of ['all', 'enrolled', 'on'] as const) {
      const page = await store.list({ list, cursor: null, limit: 1, now: NOW })
      assert.deepEqual(page, { records: [record], next: null })
    }
  }),

  storeCase('a record changes its lists with its state', async (store, another) => {
    const on = await put(store, 'user')
    const locked = nextVersion(on, { lockedUntil: NOW + 1 })
    await store.write(locked, 1)
    const just = { all: 'user', enrolled: 'user' }
    await assertLists(another, { ...just, locked: 'user' })
    const paused = nextVersion(locked, { lockedUntil: null, pausedUntil: FOREVER })
    await another.write(paused, 2)
    await assertLists(store, { ...just, paused: 'user' })
    await store.write(nextVersion(paused, { authenticators: [] }), 3)
    await assertLists(store, { all: 'user' })
  }),

  storeCase('a refused write changes no list', async (store) => {
    const on = await put(store, 'user')
    await store.write(nextVersion({ ...on, version: 7 }, { lockedUntil: NOW + 1 }), 7)
    await store.write({ ...enrolledRecord('user', 1), lockedUntil: NOW + 1 }, 0)
    await assertLists(store, { all: 'user', enrolled: 'user', on: 'user' })
  }),

  storeCase('pages of any size meet everybody once, also where times are equal', async (store) => {
    const ids = Array.from({ length: 23 }, (_, index) => `user-${index}`)
    for (const [index, id] of ids.entries()) {
      const kind = index % 3 === 0 ? { lockedUntil: NOW + 9 } : { pausedUntil: FOREVER }
      await put(store, id, index < 20 ? kind : {})
    }
    for (const list of LISTS) {
      const whole = (await idsIn(store, list)).sort()
      for (const limit of [1, 2, 7]) {
        assert.deepEqual((await idsIn(store, list, limit)).sort(), whole, `${list} by ${limit}`)
      }
    }
    assert.equal((await idsIn(store, 'all')).length, 23)
    assert.equal((await idsIn(store, 'locked')).length, 7)
    assert.equal((await idsIn(store, 'paused')).length, 13)
  }),

  storeCase('who leaves or joins between two pages makes nobody else be missed', async (store) => {
    const records = []
    for (let index = 0; index < 9; index += 1) {
      records.push(await put(store, `user-${index}`, { lockedUntil: NOW + index }))
    }
    const first = await store.list({ list: 'locked', cursor: null, limit: 3, now: NOW })
    const met = first?.records ?? []
    for (const record of met) await store.write(nextVersion(record, { lockedUntil: null }), 1)
    await put(store, 'newcomer', { lockedUntil: NOW + 100 })
    const second = await store.list({
      list: 'locked',
      cursor: first?.next ?? '',
      limit: 100,
      now: NOW,
    })
    const all = [...met, ...(second?.records ?? [])].map(({ userId }) => userId).sort()
    const expected = records.slice(1).map(({ userId }) => userId)
    assert.deepEqual(
      all.filter((userId) => userId !== 'newcomer'),
      expected,
    )
  }),

  storeCase('counts every record once, where it counts at all', async (store) => {
    await putOneOfEachKind(store)
    if (store.count !== undefined) assert.equal(await store.count(), 6)
  }),

  storeCase('a cursor that was made up, or of another list, is refused', async (store) => {
    for (const id of ['a', 'b', 'c']) await put(store, id, { lockedUntil: NOW + 1 })
    const page = await store.list({ list: 'locked', cursor: null, limit: 1, now: NOW })
    const own = page?.next ?? ''
    assert.notEqual(own, '')
    const inventions = ['', 'x', '0', 'null', '*', '%', "' or 1=1", own.slice(1)]
    for (const cursor of [...inventions, 'x'.repeat(5000), '\u0000', '\u{1f511}']) {
      assert.equal(await store.list({ list: 'locked', cursor, limit: 1, now: NOW }), null, cursor)
    }
    assert.equal(await store.list({ list: 'on', cursor: own, limit: 1, now: NOW }), null)
  }),
]
