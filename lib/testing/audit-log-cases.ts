import { strict as assert } from 'node:assert'
import type { AuditEntry, AuditLog } from '../ports/audit-log.js'

/** What a case is run on: an empty audit log. */
export interface AuditLogUnderTest {
  readonly log: AuditLog
  /** Called after the case: ends connections, empties tables. */
  release?(): Promise<void>
}

/** One behaviour that an audit log must have. It rejects with an AssertionError where it has not. */
export interface AuditLogCase {
  readonly name: string
  run(makeLog: () => AuditLogUnderTest | Promise<AuditLogUnderTest>): Promise<void>
}

const NOW = 1_800_000_000_000
const ODD = ['a:b', '*', '__proto__', 'A', 'a', 'a ', 'é', 'e\u0301', '\u{1f511}', 'x'.repeat(1000)]

function entry(index: number, parts: Partial<AuditEntry> = {}): AuditEntry {
  const at = NOW + index
  const id = `${at.toString(16).padStart(12, '0')}${'0'.repeat(18)}`
  return Object.freeze({
    id,
    at,
    type: 'wrong-code',
    actor: 'user',
    userId: 'user',
    method: 'totp',
    ip: '2001:db8::1',
    userAgent: 'a "browser" \\ \u{1f511}\n',
    ...parts,
  })
}

async function pagesOf(log: AuditLog, userId: string | null, limit: number) {
  const entries: AuditEntry[] = []
  let cursor: string | null = null
  do {
    const page = await log.list({ userId, cursor, limit })
    assert.ok(page !== null, `the log does not know its own cursor ${cursor}`)
    assert.ok(page.entries.length <= limit, `${page.entries.length} entries on a page of ${limit}`)
    entries.push(...page.entries)
    cursor = page.next
  } while (cursor !== null)
  return entries
}

function auditCase(name: string, behaviour: (log: AuditLog) => Promise<void>): AuditLogCase {
  return {
    name,
    async run(makeLog) {
      const { log, release } = await makeLog()
      try {
        await behaviour(log)
      } finally {
        await release?.()
      }
    },
  }
}

/**
 * Tells whether an adapter of the AuditLog port gets it right. Plain cases for any test runner.
 *
 * @example
 * for (const { name, run } of auditLogCases) {
 *   it(name, () => run(async () => ({ log: myLog(await emptyTable()) })))
 * }
 */
export const auditLogCases: readonly AuditLogCase[] = [
  auditCase('is empty at first, also about one user', async (log) => {
    for (const userId of [null, 'user']) {
      assert.deepEqual(await log.list({ userId, cursor: null, limit: 10 }), {
        entries: [],
        next: null,
      })
    }
  }),

  auditCase('keeps entries whole, the newest first', async (log) => {
    const unknown = { actor: null, method: null, ip: null, userAgent: null }
    const entries = [entry(1), entry(2, unknown), entry(3)]
    await log.append(entries.slice(0, 2))
    await log.append(entries.slice(2))
    assert.deepEqual(await pagesOf(log, null, 10), entries.toReversed())
    assert.deepEqual(await pagesOf(log, 'user', 10), entries.toReversed())
  }),

  auditCase('takes no entries', (log) => log.append([])),

  auditCase('meets every entry once, on pages of any size', async (log) => {
    const entries = Array.from({ length: 11 }, (_, index) =>
      entry(index, { userId: index % 2 === 0 ? 'even' : 'odd' }),
    )
    await log.append(entries)
    const newestFirst = entries.toReversed()
    for (const limit of [1, 2, 5, 11, 100]) {
      assert.deepEqual(await pagesOf(log, null, limit), newestFirst)
      const even = newestFirst.filter(({ userId }) => userId === 'even')
      assert.deepEqual(await pagesOf(log, 'even', limit), even)
    }
  }),

  auditCase('goes on where a page ended while new entries come in', async (log) => {
    await log.append([entry(1), entry(2), entry(3)])
    const first = await log.list({ userId: null, cursor: null, limit: 2 })
    await log.append([entry(4)])
    const second = await log.list({ userId: null, cursor: first?.next ?? '', limit: 2 })
    assert.deepEqual(second, { entries: [entry(1)], next: null })
  }),

  auditCase('tells users with odd ids apart', async (log) => {
    const entries = ODD.map((userId, index) => entry(index, { userId }))
    await log.append(entries)
    for (const one of entries) assert.deepEqual(await pagesOf(log, one.userId, 10), [one])
    assert.deepEqual(await pagesOf(log, 'nobody', 10), [])
  }),

  auditCase('refuses a cursor that was made up', async (log) => {
    await log.append([entry(1), entry(2)])
    const inventions = ['', 'x', '*', '%', "' or 1=1", '-', '(', '\u0000', '\u{1f511}']
    for (const cursor of [...inventions, 'x'.repeat(5000)]) {
      assert.equal(await log.list({ userId: null, cursor, limit: 1 }), null, cursor)
      assert.equal(await log.list({ userId: 'user', cursor, limit: 1 }), null, cursor)
    }
  }),
]
