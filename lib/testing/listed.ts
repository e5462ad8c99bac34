import { strict as assert } from 'node:assert'
import type { MailReset } from '../domain/mail-reset.js'
import type { SecondStepRecord } from '../domain/record.js'
import type { RecordList } from '../domain/record-list.js'
import type { RecordStore } from '../ports/record-store.js'
import { enrolledRecord } from './documents.js'

export const NOW = 1_800_000_000_000
export const FOREVER = Number.MAX_SAFE_INTEGER
export const LISTS: readonly RecordList[] = [
  ...(['all', 'enrolled', 'on', 'paused', 'locked'] as const),
  'mail-resets-due',
]

/** Ids of all who are met on the pages of a list, in the order of the store. */
export async function idsIn(store: RecordStore, list: RecordList, limit = 100, now = NOW) {
  const ids: string[] = []
  let cursor: string | null = null
  do {
    const page = await store.list({ list, cursor, limit, now })
    assert.ok(page !== null, `the store does not know its own cursor ${cursor}`)
    assert.ok(page.records.length <= limit, `${page.records.length} records on a page of ${limit}`)
    assert.notEqual(page.next, cursor ?? undefined, 'the next page is this one')
    ids.push(...page.records.map((record) => record.userId))
    cursor = page.next
  } while (cursor !== null)
  return ids
}

/** Ids as sorted words; a list that is not named must be empty. */
export async function assertLists(
  store: RecordStore,
  expected: Partial<Record<RecordList, string>>,
  now = NOW,
) {
  for (const list of LISTS) {
    const ids = await idsIn(store, list, 100, now)
    assert.equal(ids.sort().join(' '), expected[list] ?? '', `in the list "${list}"`)
  }
}

export async function put(store: RecordStore, id: string, parts: Partial<SecondStepRecord> = {}) {
  const record = { ...enrolledRecord(id, 1), ...parts }
  assert.equal(await store.write(record, 0), true)
  return record
}

/** A reset by mail that can be used from NOW on. */
export function mailResetOf(parts: Partial<MailReset> = {}): MailReset {
  return {
    id: 'reset-1',
    keyId: 'a-key',
    addressDigest: 'address',
    digests: ['first', 'second'],
    askedAt: NOW - 86_400_000,
    usableAt: NOW,
    expiresAt: NOW + 1_800_000,
    readyTold: false,
    ip: '2001:db8::1',
    userAgent: 'a "browser" \\ \u{1f511}\n',
    ...parts,
  }
}
