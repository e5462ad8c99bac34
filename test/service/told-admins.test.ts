// The attack: somebody with a stolen admin's account loosens the policy, or resets another admin, and the admins who
// could stop it do not look at the events that day.

import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import type { Actor, SecondStepEvent } from '../../lib/domain/event.js'
import type { AnnouncedEvent, Mail, UserQuery } from '../../lib/index.js'
import { type Account, Accounts } from '../../lib/service/accounts.js'
import { Announcer } from '../../lib/service/announcer.js'
import { Mails } from '../../lib/service/mails.js'
import { ToldAdmins } from '../../lib/service/told-admins.js'
import { ejsMails } from '../../lib/text/mails.js'
import { loadMessages } from '../../lib/text/messages.js'
import { ejsToldMails } from '../../lib/text/told-mails.js'
import { ejsViews } from '../../lib/text/views.js'
import { accountOf } from '../support/accounts.js'
import { DAY, movedSystem } from '../support/clock.js'
import { movedCounters } from '../support/moved-counters.js'

type Told = { readonly id: string } & Partial<Account>

const subject = { roles: ['admin'], createdAt: null, privileged: true }
const adminOf = (id: string, more: Partial<Account> = {}): Told => ({
  ...{ id, subject, email: `${id}@acme.example`, name: `The ${id}` },
  ...more,
})
const ADA: Actor = { kind: 'admin', id: 'ada' }
const REQUIRED: SecondStepEvent = {
  type: 'policy-changed',
  method: null,
  detail: {
    changed: { mode: 'required', graceDays: 3, accepts: { 'a\nrole': ['webauthn'] } },
    before: { mode: 'optional', graceDays: 7, accepts: {} },
  },
}
const RESET: SecondStepEvent = { type: 'reset', method: null }

function world(people: readonly Told[], given: { list?: () => Promise<void> } = {}) {
  const system = movedSystem()
  const announcer = new Announcer(system)
  const sent: Mail[] = []
  const failures: AnnouncedEvent<'mail-failed'>[] = []
  announcer.events.on('mail-failed', (event) => failures.push(event))
  const asked: UserQuery[] = []
  const reported: unknown[] = []
  const accounts = new Accounts<Told>({
    users: {
      findById: async (id) => people.find((one) => one.id === id) ?? null,
      list: async (query) => {
        asked.push(query)
        await given.list?.()
        const from = Number(query.cursor ?? 0)
        const to = from + query.limit
        return { users: people.slice(from, to), next: to < people.length ? String(to) : null }
      },
    },
    describe: (told) => ({ ...accountOf(told), user: told }),
    glimpse: () => ({ id: null, name: null }),
    hostIdOf: (id) => id,
    timeout: 1000,
  })
  const site = {
    ...{ messages: loadMessages(), issuer: 'Acme', origin: 'https://acme.example' },
    paths: { secondStep: '/second-step', admin: '/admin' },
  }
  const mails = new Mails({
    ...{ announcer, counters: movedCounters(system), accounts, from: 'no-reply@acme.example' },
    mailer: { sendMail: async (mail) => sent.push(mail) },
    write: ejsMails(ejsViews(), site),
    writeTold: ejsToldMails(ejsViews(), site),
    findDevices: () => Promise.reject(new Error('unknown')),
  })
  const failureReporter = { report: (error: unknown) => void reported.push(error) }
  const apart = AsyncLocalStorage.snapshot()
  new ToldAdmins({ announcer, accounts, mails, hostId: (id) => id, failureReporter, apart })
  const begin = (event: SecondStepEvent, actor: Actor, user: string | null = null) =>
    announcer.announce(user, [event], { ip: '192.0.2.7', userAgent: null, actor, reason: 'why' })
  const happens = async (...change: Parameters<typeof begin>) => {
    await begin(...change)
    await mails.settled()
  }
  return { system, sent, failures, asked, reported, begin, happens, settled: () => mails.settled() }
}

const receivers = (sent: readonly Mail[]) => sent.map(({ to }) => to.split('@')[0])

describe('the other admins', () => {
  const people = [adminOf('ada'), adminOf('otto'), adminOf('ida', { locale: 'it' }), { id: 'ann' }]

  it('are told of a change of the policy: from what to what, by whom, when and why', async () => {
    const { sent, happens } = world(people)
    await happens(REQUIRED, ADA)
    expect(receivers(sent)).to.deep.equal(['otto', 'ida'])
    const [mail] = sent
    expect(mail?.subject).to.equal('Acme: Policy changed')
    for (const text of [mail?.text ?? '', mail?.html ?? '']) {
      expect(text).to.contain('An admin of Acme').and.contain('The ada (ada)').and.contain('why')
      expect(text).to.contain('Required (before: Optional)').and.contain('3 (before: 7)')
      expect(text).to.contain('What counts for a role').and.contain('(before: everything)')
      expect(text).to.match(/January 5, 2026 at 12:00\sPM \(UTC\)/)
      expect(text).to.contain('because you are an admin').and.not.contain('192.0.2.7')
      expect(text).to.contain('https://acme.example/admin/events')
    }
    expect(sent[1]?.subject).to.equal('Acme: Regole modificate')
  })

  it('are told of one who was reset, who has a mail of their own', async () => {
    const { sent, happens } = world(people)
    await happens(RESET, ADA, 'otto')
    expect(receivers(sent).sort()).to.deep.equal(['ida', 'otto'])
    const subjects = sent.map(({ subject }) => subject)
    expect(subjects).to.include('Acme: Your second step was reset')
    expect(sent.find(({ to }) => to.startsWith('ida'))?.subject).to.match(/: The otto$/)
  })

  it('are told of every change that lets somebody past an admin’s second step', async () => {
    const until = new Date(0)
    const serial = { name: null, serial: 'A-1' }
    const events: readonly SecondStepEvent[] = [
      { type: 'disabled', method: null },
      { type: 'paused', method: null, detail: { until } },
      { type: 'one-time-code-made', method: null, detail: { expiresAt: until } },
      { type: 'backup-codes-made', method: null },
      { type: 'token-assigned', method: 'totp', detail: serial },
    ]
    for (const event of events) {
      const { sent, happens } = world(people)
      await happens(event, ADA, 'otto')
      expect(receivers(sent), event.type).to.include('ida')
    }
  })

  it('are told what the operator does, by no name and with no link to events', async () => {
    const { sent, happens } = world(people)
    await happens(REQUIRED, { kind: 'operator', id: null })
    expect(receivers(sent)).to.deep.equal(['ada', 'otto', 'ida'])
    expect(sent[0]?.text).to.contain('The operator of Acme').and.not.contain('/admin/events')
  })

  it('are not told of users who are no admins, nor of what an admin does to themselves', async () => {
    const { sent, asked, happens } = world(people)
    await happens(RESET, ADA, 'ann')
    await happens(RESET, { kind: 'user', id: 'otto' }, 'otto')
    expect(receivers(sent)).to.deep.equal(['otto'])
    expect(asked).to.deep.equal([])
  })

  // The attack: an admin's name is an address, and the mail about them leads its readers there.
  it('get no link by a name', async () => {
    const { sent, happens } = world([adminOf('otto'), adminOf('eve', { name: 'evil.example' })])
    await happens(RESET, { kind: 'admin', id: 'eve' }, 'eve')
    expect(receivers(sent)).to.include('otto')
    for (const { text, html } of sent) expect(`${text}${html}`).to.not.contain('evil.example')
  })

  it('are fifty at most, and no page is read after them', async () => {
    const crowd = Array.from({ length: 400 }, (_, at) => adminOf(`admin-${at}`))
    const users = Array.from({ length: 150 }, (_, at) => ({ id: `user-${at}` }))
    const { sent, asked, happens } = world([...users, ...crowd])
    await happens(REQUIRED, ADA)
    expect(new Set(receivers(sent))).to.have.length(50)
    expect(asked.map(({ cursor }) => cursor)).to.deep.equal([null, '100'])
  })

  it('are looked for once for all the changes that come meanwhile, and nobody waits', async () => {
    let go = () => {}
    const held = new Promise<void>((resolve) => {
      go = resolve
    })
    const { sent, asked, begin, settled } = world(people, { list: () => held })
    for (let change = 0; change < 5; change += 1) await begin(REQUIRED, ADA)
    await setImmediate()
    expect(sent).to.deep.equal([])
    go()
    await settled()
    expect(asked).to.have.length(2)
    expect(sent).to.have.length(10)
  })

  it('get twenty such mails a day, and those about themselves besides', async () => {
    const { sent, happens } = world([adminOf('otto')])
    for (let change = 0; change < 22; change += 1) await happens(REQUIRED, ADA)
    expect(sent).to.have.length(20)
    await happens(RESET, { kind: 'operator', id: null }, 'otto')
    expect(sent).to.have.length(21)
  })

  it('are told then that there were other changes, not that this one happened so often', async () => {
    const { system, sent, happens } = world([adminOf('otto')])
    for (let change = 0; change < 22; change += 1) await happens(REQUIRED, ADA)
    system.advance(DAY)
    await happens(REQUIRED, ADA)
    expect(sent.at(-1)?.text).to.contain('2 more changes').and.not.contain('It happened')
  })

  // The attack: an admin's account is stolen, and the fifty who are told are of the help desk.
  it('are no help desk, which takes no place of theirs', async () => {
    const desk = Array.from({ length: 60 }, (_, at) => adminOf(`desk-${at}`, { helpDesk: true }))
    const { sent, happens } = world([...desk, adminOf('otto')])
    await happens(REQUIRED, ADA)
    expect(receivers(sent)).to.deep.equal(['otto'])
  })

  it('without an address take no place of theirs', async () => {
    const silent = Array.from({ length: 60 }, (_, at) => adminOf(`silent-${at}`, { email: null }))
    const { sent, happens } = world([...silent, adminOf('otto')])
    await happens(REQUIRED, ADA)
    expect(receivers(sent)).to.deep.equal(['otto'])
  })

  it('are looked for outside of the span of whoever makes the change', async () => {
    const spans = new AsyncLocalStorage<object>()
    const seen: unknown[] = []
    const { happens } = world(people, { list: async () => void seen.push(spans.getStore()) })
    await spans.run({}, () => happens(REQUIRED, ADA))
    expect(seen).to.deep.equal([undefined])
  })

  it('are told of the next change where the list has failed, which is reported', async () => {
    let failing = true
    const list = async () => {
      if (failing) throw new Error('no list')
    }
    const { sent, reported, happens } = world(people, { list })
    await happens(REQUIRED, ADA)
    expect(sent).to.deep.equal([])
    expect(reported).to.have.length(1)
    failing = false
    await happens(REQUIRED, ADA)
    expect(sent).to.have.length(2)
  })

  it('have no mail from one whose address is not one, which is an event', async () => {
    const { sent, failures, happens } = world([adminOf('otto', { email: 'a@b, c@d' }), ...people])
    await happens(REQUIRED, ADA)
    expect(receivers(sent)).to.not.include('a')
    expect(failures.map(({ user, detail }) => [user, detail.part])).to.deep.equal([
      ['otto', 'address'],
    ])
  })
})
