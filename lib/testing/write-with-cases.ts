import { strict as assert } from 'node:assert'
import type { AuditEntry } from '../ports/audit-log.js'
import type { RecordStore, WriteWithEntries } from '../ports/record-store.js'
import { compareAndSetCases } from './compare-and-set-cases.js'
import { aRecord, enrolledRecord, hexDigits, type Kind } from './documents.js'
import { raceCases } from './race-cases.js'
import { type StoreCase, storeCase } from './store-under-test.js'

const USER = 'user-1'

function entry(type: AuditEntry['type']): AuditEntry {
  const at = 1_800_000_000_000
  return Object.freeze({
    id: `${at.toString(16).padStart(12, '0')}${hexDigits().slice(0, 18)}`,
    at,
    type,
    actor: { kind: 'user', id: USER },
    user: USER,
    method: 'totp',
    ip: '2001:db8::1',
    userAgent: 'a browser',
    reason: null,
    detail: { backupCodesLeft: 2 },
  } as const)
}

/** Of both kinds that a log may keep apart: a change, and an attempt. */
const bothKinds = () => [entry('code-accepted'), entry('wrong-code')]

async function entriesOf({ audit }: WriteWithEntries): Promise<readonly AuditEntry[]> {
  const page = await audit.list({ user: USER, cursor: null, limit: 100 })
  return page?.entries ?? []
}

const aRecordWithEntries: Kind<ReturnType<typeof aRecord.make>> = {
  ...aRecord,
  name: 'a record with entries',
  write: (store, record, expected) =>
    ownOf(store)?.run(record, expected, bothKinds()) ?? store.write(record, expected),
}

/** Null where a host's store has put another write or log in its place: it is not used there. */
function ownOf({ write, audit, writeWith }: RecordStore): WriteWithEntries | null {
  return writeWith?.write === write && writeWith.audit === audit ? writeWith : null
}

/** The case of a store that has such a write of its own; of others it is the same without entries. */
function ifOwn(one: StoreCase): StoreCase {
  return {
    name: one.name,
    async run(makeStore) {
      const under = await makeStore()
      if (ownOf(under.store) === null) await under.release?.()
      else await one.run(() => under)
    },
  }
}

function writeWithCase(
  name: string,
  behaviour: (one: WriteWithEntries, other: WriteWithEntries) => Promise<void>,
): StoreCase {
  return storeCase(`writeWith: ${name}`, async (store, another) => {
    const own = ownOf(store)
    if (own !== null) await behaviour(own, ownOf(another) ?? own)
  })
}

/** For stores that write a record and entries of their audit log at once; others pass them. */
export const writeWithCases: readonly StoreCase[] = [
  ...[...compareAndSetCases(aRecordWithEntries), ...raceCases(aRecordWithEntries)].map(ifOwn),

  writeWithCase('entries are in the log, whole, if the write wins', async (one, other) => {
    const entries = bothKinds()
    assert.equal(await one.run(enrolledRecord(USER, 1), 0, entries), true)
    const byId = (first: AuditEntry, second: AuditEntry) => (first.id < second.id ? -1 : 1)
    assert.deepEqual([...(await entriesOf(one))].sort(byId), [...entries].sort(byId))
    assert.deepEqual(await entriesOf(other), await entriesOf(one))
    const ofAll = await one.audit.list({ user: null, cursor: null, limit: 100 })
    assert.equal(ofAll?.entries.length, 2)
  }),

  writeWithCase('no entry is in the log if the write loses', async (one, other) => {
    await one.run(enrolledRecord(USER, 1), 0, [])
    assert.equal(await other.run(enrolledRecord(USER, 1), 0, bothKinds()), false)
    assert.equal(await other.run(enrolledRecord(USER, 6), 5, bothKinds()), false)
    assert.deepEqual(await entriesOf(one), [])
  }),

  writeWithCase('a write that is sent again appends nothing again', async (one, other) => {
    const [record, entries] = [enrolledRecord(USER, 1), bothKinds()]
    await one.run(record, 0, entries)
    assert.equal(await one.run(record, 0, entries), true)
    assert.equal(await other.run(record, 0, entries), true)
    assert.equal((await entriesOf(one)).length, 2)
  }),

  writeWithCase('of many at once only the winner’s entry is kept', async (one, other) => {
    const rivals = Array.from({ length: 20 }, () => [entry('code-accepted')])
    const won = await Promise.all(
      rivals.map((entries, nth) =>
        (nth % 2 === 0 ? one : other).run(enrolledRecord(USER, 1), 0, entries),
      ),
    )
    assert.deepEqual(await entriesOf(one), rivals[won.indexOf(true)])
  }),
]
