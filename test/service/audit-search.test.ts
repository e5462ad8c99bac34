import { expect } from 'chai'
import type { AuditEntry, AuditLog, AuditQuery } from '../../lib/ports/audit-log.js'
import { Audit } from '../../lib/service/audit.js'
import {
  type AuditFilters,
  LOG_PAGES_AT_MOST,
  type SearchStart,
  searchAudit,
} from '../../lib/service/audit-search.js'
import { memoryAuditLog } from '../../lib/stores/memory-audit-log.js'

const NOW = 1_800_000_000_000
const ANY: AuditFilters = { user: null, actor: null, type: null, from: null, to: null }

function entry(index: number, parts: Partial<AuditEntry> = {}): AuditEntry {
  const at = NOW + index
  const actor = { kind: 'user', id: 'ann' } as const
  const nothing = { method: null, ip: null, userAgent: null, reason: null, detail: null }
  const id = at.toString(16).padStart(12, '0') + '0'.repeat(18)
  return { ...nothing, id, at, type: 'wrong-code', actor, user: 'ann', ...parts }
}

/** Every third entry is a reset by Ada. */
const entries = Array.from({ length: 30 }, (_, index) =>
  index % 3 === 0
    ? entry(index, { type: 'reset', actor: { kind: 'admin', id: 'ada' } })
    : entry(index),
)

/** A log that goes by user and cursor alone, as one of a host's may, whose cursors are no ids. */
function plainLog(log: AuditLog, pageSize: number): AuditLog {
  return {
    ...log,
    list: async ({ user, cursor }: AuditQuery) => {
      const page = await log.list({ user, cursor: cursor?.slice(2) ?? null, limit: pageSize })
      return page && { ...page, next: page.next === null ? null : `c:${page.next}` }
    },
  }
}

async function logs(): Promise<Readonly<Record<string, Audit>>> {
  const log = memoryAuditLog()
  await log.append(entries)
  return { ours: new Audit(log, 500), plain: new Audit(plainLog(log, 7), 500) }
}

async function pagesOf(audit: Audit, filters: AuditFilters, limit: number) {
  const found: AuditEntry[] = []
  let start: SearchStart | null = null
  do {
    const page = await searchAudit(audit, filters, { start, limit }, (one) => one)
    expect(page?.entries.length ?? 0).to.be.at.most(limit)
    found.push(...(page?.entries ?? []))
    start = page?.next ?? null
  } while (start !== null)
  return found.map(({ at }) => at - NOW)
}

describe('The search for events', () => {
  const searches: readonly [Partial<AuditFilters>, (entry: AuditEntry) => boolean][] = [
    [{ actor: 'ada' }, ({ actor }) => actor.id === 'ada'],
    [{ type: 'reset' }, ({ type }) => type === 'reset'],
    [{ from: NOW + 20 }, ({ at }) => at >= NOW + 20],
    [{ to: NOW + 9 }, ({ at }) => at <= NOW + 9],
    [{ from: NOW + 4, to: NOW + 4 }, ({ at }) => at === NOW + 4],
    [
      { type: 'reset', from: NOW + 5, to: NOW + 21 },
      ({ type, at }) => type === 'reset' && at >= NOW + 5 && at <= NOW + 21,
    ],
    [{ actor: 'nobody' }, () => false],
  ]
  for (const [filters, passes] of searches) {
    it(`meets each once, on pages of any size: ${Object.keys(filters)}`, async () => {
      const right = entries
        .filter(passes)
        .map(({ at }) => at - NOW)
        .toReversed()
      for (const [name, audit] of Object.entries(await logs())) {
        for (const limit of [1, 2, 4, 100]) {
          expect(
            await pagesOf(audit, { ...ANY, ...filters }, limit),
            `${name} ${limit}`,
          ).to.deep.equal(right)
        }
      }
    })
  }

  // The attack: an admin's page that asks for what never happened reads a log of years.
  it('looks through so many pages of the log alone, says how far it got, and goes on from there', async () => {
    const log = memoryAuditLog()
    await log.append(entries)
    let reads = 0
    const list: AuditLog['list'] = (query) => {
      reads += 1
      return plainLog(log, 1).list(query)
    }
    const audit = new Audit({ ...log, list }, 500)
    const byNobody = { ...ANY, actor: 'nobody' }
    const first = await searchAudit(audit, byNobody, { start: null, limit: 5 }, (one) => one)
    expect(reads).to.equal(LOG_PAGES_AT_MOST)
    expect(first).to.deep.include({ entries: [], reached: NOW + 20 })
    const second = await searchAudit(
      audit,
      byNobody,
      { start: first?.next ?? null, limit: 5 },
      (one) => one,
    )
    expect(second?.reached).to.equal(NOW + 10)
  })

  it('asks no further than the beginning of its time', async () => {
    const log = memoryAuditLog()
    await log.append(entries)
    let reads = 0
    const list: AuditLog['list'] = (query) => {
      reads += 1
      return plainLog(log, 7).list(query)
    }
    const plain = new Audit({ ...log, list }, 500)
    const found = await searchAudit(
      plain,
      { ...ANY, from: NOW + 28 },
      { start: null, limit: 5 },
      (one) => one,
    )
    expect([found?.next, reads]).to.deep.equal([null, 1])
    expect(found?.entries.map(({ at }) => at - NOW)).to.deep.equal([29, 28])
  })

  it('refuses a start that no page has given', async () => {
    const { ours } = await logs()
    const start = { cursor: 'made-up', after: null }
    expect(
      await searchAudit(
        ours as Audit,
        { ...ANY, type: 'reset' },
        { start, limit: 5 },
        (one) => one,
      ),
    ).to.equal(null)
  })
})
