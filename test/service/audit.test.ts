import { expect } from 'chai'
import type { SecondStepEvent } from '../../lib/domain/event.js'
import { UnavailableError } from '../../lib/errors/unavailable-error.js'
import type { AuditEntry, AuditLog } from '../../lib/ports/audit-log.js'
import { Announcer, NO_REQUEST } from '../../lib/service/announcer.js'
import { Audit } from '../../lib/service/audit.js'
import type { NotedAttempts } from '../../lib/service/noted-attempts.js'
import { Records } from '../../lib/service/records.js'
import { memoryAuditLog } from '../../lib/stores/memory-audit-log.js'
import { memoryStore } from '../../lib/stores/memory-store.js'
import { auditEntry } from '../support/audit-entry.js'
import { movedSystem } from '../support/clock.js'

const TIMEOUT = 150
const requestInfo = { ip: '192.0.2.1', userAgent: 'a browser' }
const happened = { type: 'logged-out', method: 'totp' } as const

function world(log: AuditLog) {
  const system = movedSystem()
  const announcer = new Announcer(system, new Audit(log, TIMEOUT))
  const store = memoryStore()
  return { system, announcer, store, records: new Records(store, system, announcer, NOWHERE) }
}

const NOWHERE = { production: false, timeout: TIMEOUT }

async function refusal(promise: Promise<unknown>): Promise<UnavailableError> {
  const error = await promise.then(
    () => 'no refusal',
    (reason: unknown) => reason,
  )
  expect(error).to.be.instanceOf(UnavailableError)
  return error as UnavailableError
}

function failing(parts: Partial<AuditLog>): AuditLog {
  return { ...memoryAuditLog(), ...parts }
}

describe('the audit log', () => {
  it('gets each event: user, actor, method, origin and time', async () => {
    const log = memoryAuditLog()
    const { announcer, system } = world(log)
    await announcer.announce('ann', [happened, { type: 'enrolled', method: null }], requestInfo)
    await announcer.announce('bob', [happened], NO_REQUEST)
    const { entries } = (await log.list({ user: null, cursor: null, limit: 10 })) ?? {}
    const at = system.now()
    const ann = {
      actor: { kind: 'user', id: 'ann' },
      user: 'ann',
      at,
      ...requestInfo,
      reason: null,
      detail: null,
    }
    const byId = (left: AuditEntry, right: AuditEntry) => (left.id < right.id ? 1 : -1)
    expect(entries?.toSorted(byId)).to.have.length(3)
    for (const { id } of entries ?? []) expect(id).to.match(/^[0-9a-f]{30}$/)
    const plain = entries?.map(({ id, ...entry }) => entry)
    expect(plain).to.have.deep.members([
      { ...ann, ...happened },
      { ...ann, type: 'enrolled', method: null },
      { ...happened, ...NO_REQUEST, user: 'bob', at, reason: null, detail: null },
    ])
  })

  it('has the details as JSON has them, in memory too', async () => {
    const log = memoryAuditLog()
    const detail = { until: new Date(0) }
    const locked = { type: 'authenticator-locked', method: 'totp', detail } as const
    await world(log).announcer.announce('ann', [locked], requestInfo)
    const page = await log.list({ user: 'ann', cursor: null, limit: 1 })
    expect(page?.entries[0]?.detail).to.deep.equal({ until: '1970-01-01T00:00:00.000Z' })
  })

  it('keeps the order in which one decision made its events', async () => {
    const log = memoryAuditLog()
    const types = ['wrong-code', 'reset', 'sessions-ended'] as const
    const events = types.map((type) => ({ type, method: null }))
    await world(log).announcer.announce('ann', events, requestInfo)
    const page = await log.list({ user: null, cursor: null, limit: 10 })
    expect(page?.entries.map(({ type }) => type)).to.deep.equal(types.toReversed())
    const ids = page?.entries.map(({ id }) => id) ?? []
    expect(ids.toSorted().toReversed()).to.deep.equal(ids)
  })

  // Whoever fills or stops the audit log first must not get in, or guess, unseen.
  it('makes the answer a refusal if it is unavailable, and the try stays counted', async () => {
    const away = failing({ append: () => Promise.reject(new Error('disk full')) })
    const { records, store, announcer } = world(away)
    const seen: string[] = []
    announcer.events.on('event', ({ type }) => seen.push(type))
    const change = records.change('ann', requestInfo, (record) => {
      return { record: { ...record, epoch: 7 }, answer: 'verdict', events: [happened] }
    })
    expect((await refusal(change)).message).to.equal('the audit log is not available')
    expect((await store.find('ann'))?.epoch).to.equal(7)
    expect(seen).to.deep.equal(['logged-out'])
  })

  // One refusal, not one after the other: it is due within two seconds.
  it('waits for no counter after that', async () => {
    const away = failing({ append: () => Promise.reject(new Error('disk full')) })
    const noted = {
      toKeep: async (entries: readonly AuditEntry[]) => entries,
      giveBack: () => new Promise<void>(() => undefined),
    } as unknown as NotedAttempts
    const appending = new Audit(away, TIMEOUT, noted).append([auditEntry('ann')])
    expect((await refusal(appending)).message).to.equal('the audit log is not available')
  })

  it('makes the answer a refusal after its time limit if it hangs', async () => {
    const silent = failing({ append: () => new Promise(() => undefined) })
    const began = performance.now()
    await refusal(world(silent).announcer.announce('ann', [happened], requestInfo))
    expect(performance.now() - began).to.be.within(TIMEOUT - 50, TIMEOUT + 850)
  })

  it('is not asked where nothing happened', async () => {
    const away = failing({ append: () => Promise.reject(new Error('disk full')) })
    await world(away).announcer.announce('ann', [], requestInfo)
  })

  it('shows users their own last ten entries and nothing else', async () => {
    const log = memoryAuditLog()
    const { announcer, system } = world(log)
    for (let count = 0; count < 12; count += 1) {
      system.advance(1)
      await announcer.announce(count % 6 === 0 ? 'bob' : 'ann', [happened], requestInfo)
    }
    const entries = await new Audit(log, TIMEOUT).lastOf('ann')
    expect(entries).to.have.length(10)
    expect(entries[0]?.at).to.equal(system.now())

    const foreign = failing({ list: () => log.list({ user: null, cursor: null, limit: 10 }) })
    await refusal(new Audit(foreign, TIMEOUT).lastOf('ann'))
    await refusal(new Audit(failing({ list: async () => null }), TIMEOUT).lastOf('ann'))
  })

  // The attack: an admin whose session asks for a fresh code tries changes again and again, until the user's page shows
  // nothing but their refusals, and not the wrong code that came before.
  it('shows among the last ten of a user few of what somebody can cause at will', async () => {
    const log = memoryAuditLog()
    const { announcer, system } = world(log)
    const tell = async (...events: readonly SecondStepEvent[]) => {
      system.advance(1)
      await announcer.announce('ann', events, requestInfo)
    }
    const detail = { action: 'reset', code: 'fresh-code-required' } as const
    const typesShown = async () => {
      const entries = await new Audit(log, TIMEOUT).lastOf('ann')
      return entries.map(({ type }) => type)
    }
    for (let count = 0; count < 4; count += 1)
      await tell({ type: 'change-refused', method: null, detail })
    expect(await typesShown()).to.deep.equal(Array(4).fill('change-refused'))
    await tell({ type: 'enrolled', method: 'totp' })
    await tell({ type: 'wrong-code', method: 'totp' })
    for (let count = 0; count < 20; count += 1)
      await tell({ type: 'change-refused', method: null, detail })
    expect(await typesShown()).to.deep.equal([
      ...Array(8).fill('change-refused'),
      ...['wrong-code', 'enrolled'],
    ])
  })

  // The attack: somebody with the password gives wrong codes and asks for mails for three days, until the pages show nothing
  // of the device that was bound before.
  it('reads on where attempts of days fill what it has read, within a bound', async () => {
    const log = memoryAuditLog()
    const { announcer, system } = world(log)
    const tell = async (...events: readonly SecondStepEvent[]) => {
      system.advance(1)
      await announcer.announce('ann', events, requestInfo)
    }
    let reads = 0
    const list: AuditLog['list'] = (query) => {
      reads += 1
      return log.list(query)
    }
    const counted = new Audit({ ...log, list }, TIMEOUT)
    const typesShown = async () => {
      reads = 0
      const types = (await counted.lastOf('ann')).map(({ type }) => type)
      return new Set(types)
    }
    await tell({ type: 'enrolled', method: 'totp' })
    for (let count = 0; count < 150; count += 1) await tell({ type: 'wrong-code', method: 'totp' })
    expect(await typesShown()).to.deep.equal(new Set(['wrong-code', 'enrolled']))
    expect(reads).to.equal(3)
    for (let count = 0; count < 700; count += 1) await tell({ type: 'wrong-code', method: 'totp' })
    expect(await typesShown()).to.deep.equal(new Set(['wrong-code']))
    expect(reads).to.equal(6)
    for (let count = 0; count < 10; count += 1) await tell({ type: 'resumed', method: null })
    expect(await typesShown()).to.deep.equal(new Set(['resumed']))
    expect(reads).to.equal(1)
  })
})
