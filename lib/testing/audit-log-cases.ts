import { strict as assert } from 'node:assert'
import { DAY_MS } from '../domain/units.js'
import type { AuditEntry, AuditLog, AuditQuery } from '../ports/audit-log.js'

/** The input of a case: an empty audit log. */
export interface AuditLogUnderTest {
  readonly log: AuditLog
  /** Called after the case. Close connections and empty tables here. */
  release?(): Promise<void>
}

/** One behaviour that an audit log must have. It rejects with an AssertionError where it has not. */
export interface AuditLogCase {
  readonly name: string
  run(makeLog: () => AuditLogUnderTest | Promise<AuditLogUnderTest>): Promise<void>
}

const NOW = 1_800_000_000_000
const NONE = { accepted: 0, wrong: 0 }
const ODD = ['a:b', '*', '__proto__', 'A', 'a', 'a ', 'é', 'e\u0301', '\u{1f511}', 'x'.repeat(1000)]

function entry(index: number, parts: Partial<AuditEntry> = {}): AuditEntry {
  const at = NOW + index
  const id = `${at.toString(16).padStart(12, '0')}${'0'.repeat(18)}`
  const whole: AuditEntry = {
    id,
    at,
    type: 'wrong-code',
    actor: { kind: 'user', id: 'user' },
    user: 'user',
    method: 'totp',
    ip: '2001:db8::1',
    userAgent: 'a "browser" \\ \u{1f511}\n',
    reason: 'asked by "phone", \u00e9',
    detail: null,
    ...parts,
  }
  return Object.freeze(whole)
}

async function pagesOf(
  log: AuditLog,
  user: string | null,
  limit: number,
  more: Pick<AuditQuery, 'type' | 'from' | 'to'> = {},
) {
  const entries: AuditEntry[] = []
  let cursor: string | null = null
  do {
    const page = await log.list({ ...more, user, cursor, limit })
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
    for (const user of [null, 'user']) {
      assert.deepEqual(await log.list({ user, cursor: null, limit: 10 }), {
        entries: [],
        next: null,
      })
    }
  }),

  auditCase('keeps entries whole, the newest first', async (log) => {
    const actor = { kind: 'system', id: null } as const
    const unknown = { actor, method: null, ip: null, userAgent: null }
    const detail = { backupCodesLeft: 2, more: ['é', null] }
    const entries = [entry(1), entry(2, unknown), entry(3, { detail })]
    await log.append(entries.slice(0, 2))
    await log.append(entries.slice(2))
    assert.deepEqual(await pagesOf(log, null, 10), entries.toReversed())
    assert.deepEqual(await pagesOf(log, 'user', 10), entries.toReversed())
  }),

  auditCase('takes no entries', (log) => log.append([])),

  auditCase('meets every entry once, on pages of any size', async (log) => {
    const types = ['wrong-code', 'wrong-code', 'enrolled', 'reset'] as const
    const entries = Array.from({ length: 11 }, (_, index) => {
      const user = index % 2 === 0 ? 'even' : 'odd'
      return entry(index, { user, type: types[index % types.length] ?? 'reset' })
    })
    await log.append(entries)
    const newestFirst = entries.toReversed()
    for (const limit of [1, 2, 5, 11, 100]) {
      assert.deepEqual(await pagesOf(log, null, limit), newestFirst)
      const even = newestFirst.filter(({ user }) => user === 'even')
      assert.deepEqual(await pagesOf(log, 'even', limit), even)
    }
  }),

  auditCase('meets every entry once where a clock went back', async (log) => {
    const entries = [5, 3, 4, 1, 2].map((index) => entry(index))
    for (const one of entries) await log.append([one])
    const whole = await pagesOf(log, null, 100)
    for (const limit of [1, 2, 3, 5]) assert.deepEqual(await pagesOf(log, null, limit), whole)
    assert.deepEqual(whole.map(({ id }) => id).sort(), entries.map(({ id }) => id).sort())
  }),

  auditCase('goes on where a page ended while new entries come in', async (log) => {
    await log.append([entry(1), entry(2), entry(3)])
    const first = await log.list({ user: null, cursor: null, limit: 2 })
    await log.append([entry(4)])
    const second = await log.list({ user: null, cursor: first?.next ?? '', limit: 2 })
    assert.deepEqual(second, { entries: [entry(1)], next: null })
  }),

  auditCase('tells users with odd ids apart', async (log) => {
    const entries = ODD.map((user, index) => entry(index, { user }))
    await log.append(entries)
    for (const one of entries) assert.deepEqual(await pagesOf(log, one.user, 10), [one])
    assert.deepEqual(await pagesOf(log, 'nobody', 10), [])
  }),

  auditCase("lists what is nobody's in the list of all, and in no user's", async (log) => {
    const admin = { kind: 'admin', id: 'admin' } as const
    const detail = { changed: { mode: 'required' } }
    const parts = {
      type: 'policy-changed',
      actor: admin,
      user: null,
      method: null,
      detail,
    } as const
    const entries = [entry(1), entry(2, parts), entry(3), entry(4, parts)]
    await log.append(entries)
    for (const limit of [1, 3, 10]) {
      assert.deepEqual(await pagesOf(log, null, limit), entries.toReversed())
      assert.deepEqual(await pagesOf(log, 'user', limit), [entry(3), entry(1)])
    }
    for (const user of ['admin', 'null', 'undefined', '__proto__']) {
      assert.deepEqual(await pagesOf(log, user, 10), [], user)
    }
  }),

  auditCase('keeps what an admin gave as the reason, or that they gave none', async (log) => {
    const reasons = [null, 'lost their phone', '"\\\' \u00e9 \u{1f511}\n', 'x'.repeat(500)]
    const entries = reasons.map((reason, index) => entry(index, { type: 'reset', reason }))
    await log.append(entries)
    assert.deepEqual(await pagesOf(log, null, 10), entries.toReversed())
    assert.deepEqual(await pagesOf(log, 'user', 10), entries.toReversed())
  }),

  auditCase('lists all that a type and a time name, whatever else it lists', async (log) => {
    const types = ['wrong-code', 'reset', 'enrolled'] as const
    const day = { from: NOW + 3, to: NOW + 7 }
    const entries = Array.from({ length: 11 }, (_, index) =>
      entry(index, { type: types[index % types.length] ?? 'reset' }),
    )
    await log.append(entries)
    const newestFirst = entries.toReversed()
    for (const user of [null, 'user']) {
      for (const limit of [1, 3, 100]) {
        const inTime = await pagesOf(log, user, limit, day)
        assert.deepEqual(
          inTime.filter(({ at }) => at >= day.from && at <= day.to),
          newestFirst.slice(3, 8),
        )
        const resets = await pagesOf(log, user, limit, { ...day, type: 'reset' })
        assert.deepEqual(
          resets.filter(({ type, at }) => type === 'reset' && at >= day.from && at <= day.to),
          [entry(7, { type: 'reset' }), entry(4, { type: 'reset' })],
        )
      }
    }
  }),

  auditCase('counts the attempts of each day (UTC), where it counts any', async (log) => {
    const day = Math.floor(NOW / DAY_MS)
    assert.deepEqual((await log.attemptsOf?.(day)) ?? NONE, NONE)
    const next = (day + 1) * DAY_MS - NOW
    const accepted = { type: 'code-accepted' } as const
    await log.append([entry(1), entry(2, { ...accepted, user: 'another' }), entry(3)])
    await log.append([entry(4, { type: 'enrolled' }), entry(next - 1, accepted), entry(next)])
    if (log.attemptsOf === undefined) return
    assert.deepEqual(await log.attemptsOf(day), { accepted: 2, wrong: 2 })
    assert.deepEqual(await log.attemptsOf(day + 1), { accepted: 0, wrong: 1 })
    assert.deepEqual(await log.attemptsOf(day - 1), NONE)
  }),

  auditCase('refuses a cursor that was made up', async (log) => {
    await log.append([entry(1), entry(2)])
    const inventions = ['', 'x', '*', '%', "' or 1=1", '-', '(', '0-0', '\u0000', '\u{1f511}']
    for (const cursor of [...inventions, 'x'.repeat(5000)]) {
      assert.equal(await log.list({ user: null, cursor, limit: 1 }), null, cursor)
      assert.equal(await log.list({ user: 'user', cursor, limit: 1 }), null, cursor)
    }
  }),
]
