import { strict as assert } from 'node:assert'
import type { RecordStore } from '../ports/record-store.js'
import { nextVersion } from './documents.js'
import { assertLists, FOREVER, idsIn, mailResetOf, NOW, put } from './listed.js'
import { type StoreCase, storeCase } from './store-under-test.js'

const LIST = 'mail-resets-due'

async function assertDue(store: RecordStore, expected: string, now = NOW): Promise<void> {
  const ids = await idsIn(store, LIST, 100, now)
  assert.equal(ids.sort().join(' '), expected, `in the list "${LIST}"`)
}

/** Pages of records whose reset by mail can be used by now and whose owner was not told yet. */
export const mailResetListCases: readonly StoreCase[] = [
  storeCase('a reset by mail is due from its moment on, to the millisecond', async (store) => {
    await put(store, 'due', { mailReset: mailResetOf() })
    await put(store, 'long-due', { mailReset: mailResetOf({ usableAt: 1 }) })
    await put(store, 'none')
    await put(store, 'not-yet', { mailReset: mailResetOf({ usableAt: NOW + 1 }) })
    await put(store, 'told', { mailReset: mailResetOf({ readyTold: true }) })
    await assertDue(store, 'long-due', NOW - 1)
    await assertDue(store, 'due long-due')
    await assertDue(store, 'due long-due not-yet', NOW + 1)
  }),

  storeCase('a reset by mail is due in any state, without an authenticator too', async (store) => {
    const mailReset = mailResetOf()
    await put(store, 'locked', { mailReset, lockedUntil: NOW + 1 })
    await put(store, 'off', { mailReset, authenticators: [] })
    await put(store, 'on', { mailReset })
    await put(store, 'paused', { mailReset, pausedUntil: FOREVER })
    await assertLists(store, {
      all: 'locked off on paused',
      enrolled: 'locked on paused',
      on: 'on',
      paused: 'paused',
      locked: 'locked',
      'mail-resets-due': 'locked off on paused',
    })
  }),

  storeCase(
    'a reset by mail that was told, put off or ended is not due',
    async (store, another) => {
      const due = await put(store, 'user', { mailReset: mailResetOf() })
      const told = nextVersion(due, { mailReset: mailResetOf({ readyTold: true }) })
      await store.write(told, 1)
      await assertDue(another, '')
      const next = nextVersion(told, { mailReset: mailResetOf({ usableAt: NOW + 5 }) })
      await another.write(next, 2)
      await assertDue(store, '')
      await assertDue(store, 'user', NOW + 5)
      await store.write(nextVersion(next, { mailReset: null }), 3)
      await assertDue(another, '', FOREVER)
      await assertLists(store, { all: 'user', enrolled: 'user', on: 'user' })
    },
  ),

  storeCase('the list of resets that are due has the whole record', async (store) => {
    const record = await put(store, 'user', { mailReset: mailResetOf() })
    const page = await store.list({ list: LIST, cursor: null, limit: 1, now: NOW })
    assert.deepEqual(page, { records: [record], next: null })
  }),

  storeCase('pages of resets meet everybody once, and nobody who is not due', async (store) => {
    const due = Array.from({ length: 9 }, (_, index) => `due-${index}`)
    for (const [index, id] of due.entries()) {
      await put(store, id, { mailReset: mailResetOf({ usableAt: NOW - (index % 3) }) })
      await put(store, `later-${index}`, { mailReset: mailResetOf({ usableAt: NOW + 1 + index }) })
    }
    for (const limit of [1, 2, 3, 9, 100]) {
      assert.deepEqual((await idsIn(store, LIST, limit)).sort(), due, `by ${limit}`)
    }
  }),

  storeCase('who is told while pages are read makes nobody else be missed', async (store) => {
    for (let index = 0; index < 7; index += 1) {
      await put(store, `user-${index}`, { mailReset: mailResetOf({ usableAt: NOW - index }) })
    }
    const met: string[] = []
    let cursor: string | null = null
    do {
      const page = await store.list({ list: LIST, cursor, limit: 2, now: NOW })
      assert.ok(page !== null, `the store does not know its own cursor ${cursor}`)
      for (const record of page.records) {
        met.push(record.userId)
        await store.write(nextVersion(record, { mailReset: mailResetOf({ readyTold: true }) }), 1)
      }
      cursor = page.next
    } while (cursor !== null)
    assert.deepEqual(
      met.sort(),
      [0, 1, 2, 3, 4, 5, 6].map((index) => `user-${index}`),
    )
    await assertDue(store, '')
  }),

  storeCase('a cursor of resets that are due is of no other list', async (store) => {
    for (const id of ['a', 'b']) await put(store, id, { mailReset: mailResetOf() })
    const page = await store.list({ list: LIST, cursor: null, limit: 1, now: NOW })
    const own = page?.next ?? ''
    assert.notEqual(own, '')
    for (const list of ['all', 'enrolled', 'on', 'locked'] as const) {
      assert.equal(await store.list({ list, cursor: own, limit: 1, now: NOW }), null, list)
    }
    const other = await store.list({ list: 'on', cursor: null, limit: 1, now: NOW })
    const cursor = other?.next ?? ''
    assert.equal(await store.list({ list: LIST, cursor, limit: 1, now: NOW }), null)
  }),
]
