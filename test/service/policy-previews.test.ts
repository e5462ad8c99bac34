import { AsyncLocalStorage } from 'node:async_hooks'
import { expect } from 'chai'
import { FOREVER } from '../../lib/domain/pause.js'
import { defaultPolicy, type Policy } from '../../lib/domain/policy.js'
import { blankRecord, type SecondStepRecord } from '../../lib/domain/record.js'
import type { Account } from '../../lib/service/accounts.js'
import { PolicyPreviews } from '../../lib/service/policy-previews.js'
import { DAY, enrolledRecord, NOW } from '../support/records.js'

const before = defaultPolicy
const after: Policy = {
  ...before,
  mode: 'required',
  requiredSince: { general: NOW, roles: {} },
}

const account = (id: string, roles: readonly string[] = ['user']): Account => ({
  user: { id },
  id,
  email: null,
  name: null,
  username: null,
  locale: null,
  subject: { roles, createdAt: null, privileged: roles.includes('admin') },
  tellsRoles: true,
})

const spans = new AsyncLocalStorage<object>()

/** Users u0, u1 …: every fourth is an admin, every fifth has a second step. */
function world(given: {
  users: number
  until?: Promise<void>
  searchable?: boolean
  pausedUntil?: number
}) {
  const { users, until = null, searchable = true, pausedUntil = null } = given
  const people = Array.from({ length: users }, (_, at) =>
    account(`u${at}`, at % 4 === 0 ? ['user', 'admin'] : ['user']),
  )
  const recordOf = (id: string): SecondStepRecord =>
    Number(id.slice(1)) % 5 === 0 ? enrolledRecord({ userId: id, pausedUntil }) : blankRecord(id)
  const asked: (string | null)[] = []
  const inSpan: unknown[] = []
  const pageOf = (cursor: string | null) => {
    const from = Number(cursor ?? 0)
    const next = from + 100 < users ? String(from + 100) : null
    return { accounts: people.slice(from, from + 100), next }
  }
  const previews = new PolicyPreviews({
    accounts: {
      searchable,
      list: async ({ cursor }) => {
        asked.push(cursor)
        inSpan.push(spans.getStore())
        if (cursor !== null && until !== null) await until
        return pageOf(cursor)
      },
      lookUpAll: async (ids) =>
        ids.map((id) => ({ kind: 'found', account: account(id, ['user']) }) as const),
    },
    records: {
      findMany: async (ids) => ids.map(recordOf),
      list: async () => ({
        records: [enrolledRecord({ userId: 'u1' }), blankRecord('u2')],
        damaged: ['u3'],
        lost: [],
        lostLists: [],
        next: null,
      }),
    },
    now: () => NOW,
    roles: ['user', 'admin', 'guest'],
    apart: AsyncLocalStorage.snapshot(),
    patience: until === null ? 60_000 : 10,
  })
  return { previews, asked, inSpan }
}

describe('the preview of a change of the policy', () => {
  it('tells how many it does not ask because they are paused, and until when', async () => {
    const { previews } = world({ users: 20, pausedUntil: NOW + DAY })
    const { pauses } = await previews.count({ before, after })
    expect(pauses).to.deep.equal({ count: 4, forever: 0, last: NOW + DAY })
    const off: Policy = { ...before, mode: 'off' }
    const none = { count: 0, forever: 0, last: null }
    const unasked = world({ users: 20, pausedUntil: NOW + DAY }).previews
    const anAdmin = { count: 1, forever: 0, last: NOW + DAY }
    expect((await unasked.count({ before, after: off })).pauses).to.deep.equal(anAdmin)
    const forever = world({ users: 20, pausedUntil: FOREVER }).previews
    expect((await forever.count({ before, after })).pauses, 'required').to.deep.equal(none)
  })

  // A million users are ten thousand pages: as spans of the one request they would be its whole trace.
  it('counts outside of the span of whoever asks', async () => {
    const { previews, inSpan } = world({ users: 220 })
    await spans.run({}, () => previews.count({ before, after }))
    expect(inSpan).to.deep.equal([undefined, undefined, undefined])
  })

  it('counts who is concerned, by role, over all pages', async () => {
    const { previews } = world({ users: 220 })
    const { whole, listed, of, ...counted } = await previews.count({ before, after })
    expect({ whole, listed }).to.deep.equal({ whole: true, listed: true })
    expect(counted).to.deep.equal({
      known: 220,
      concerned: 176,
      admins: 55,
      adminsConcerned: 44,
      pauses: { count: 0, forever: 0, last: null },
      adminsNow: 44,
      roles: {
        user: { known: 220, concerned: 176 },
        admin: { known: 55, concerned: 44 },
        guest: { known: 0, concerned: 0 },
      },
      unreadable: 0,
    })
    expect(of).to.deep.equal({ 'setup-now': 44, 'setup-later': 132, code: 0, nothing: 0 })
  })

  // The attack: a list of a million users, on which a request would hang.
  it('answers in its time with what is counted so far, and goes on', async () => {
    let open: () => void = () => undefined
    const until = new Promise<void>((resolve) => {
      open = resolve
    })
    const { previews, asked } = world({ users: 300, until })
    let first = await previews.count({ before, after })
    while (first.known === 0) first = await previews.count({ before, after })
    expect(first).to.deep.include({ whole: false, known: 100, concerned: 80 })
    open()
    let last = await previews.count({ before, after })
    while (!last.whole) last = await previews.count({ before, after })
    expect(last).to.deep.include({ whole: true, known: 300, concerned: 240 })
    expect(asked).to.deep.equal([null, '100', '200'])
  })

  it('goes on with two counts at most, and with none once the app closes', async () => {
    const { previews, asked } = world({ users: 300, until: new Promise(() => undefined) })
    for (const graceDays of [1, 2, 3])
      await previews.count({ before, after: { ...after, graceDays } })
    await previews.count({ before, after: { ...after, graceDays: 3 } })
    expect(asked.filter((cursor) => cursor === null)).to.have.length(3)
    await previews.count({ before, after: { ...after, graceDays: 1 } })
    expect(asked.filter((cursor) => cursor === null)).to.have.length(4)
    previews.stop()
  })

  it('counts those with a record where the host has no list, and says so', async () => {
    const { previews } = world({ users: 0, searchable: false })
    const counted = await previews.count({ before, after })
    expect(counted).to.deep.include({ listed: false, known: 2, concerned: 1, unreadable: 1 })
  })
})
